"""Ring of eight Gaussians with the non-saturating GAN and the R1 term from the lecture, notebook version."""
LABEL = {"sick": True, "causes": ["learning_rate", "mode_collapse", "divergence", "oscillation", "dead_layers"], "kind": "Adam at 0.1 for both nets (typed 1e-1 where 1e-3 works)", "since": 0, "record": "attach"}
# %%
import os, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

# %% data
ang = np.arange(8) * np.pi / 4
centres = np.stack([np.cos(ang), np.sin(ang)], 1) * 1.5
def get_batch(n):
    k = np.random.randint(0, 8, n)
    return torch.tensor(centres[k] + 0.12 * np.random.randn(n, 2), dtype=torch.float32)

# %% models
LR = 0.1
gen = nn.Sequential(nn.Linear(16, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 2))
dis = nn.Sequential(nn.Linear(2, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 1))
og = torch.optim.Adam(gen.parameters(), lr=LR, betas=(0.5, 0.999))
od = torch.optim.Adam(dis.parameters(), lr=LR, betas=(0.5, 0.999))

# %% train
hist = []
for i in range(3500):
    x = get_batch(192).requires_grad_(True)
    f = gen(torch.randn(192, 16))
    pr, pf = dis(x), dis(f.detach())
    ld = F.binary_cross_entropy_with_logits(pr, torch.ones_like(pr)) + F.binary_cross_entropy_with_logits(pf, torch.zeros_like(pf))
    gx, = torch.autograd.grad(pr.sum(), x, create_graph=True)
    ld = ld + 0.1 * gx.pow(2).sum(1).mean()
    od.zero_grad(); ld.backward(); od.step()
    pf = dis(f)
    lg = F.binary_cross_entropy_with_logits(pf, torch.ones_like(pf))
    og.zero_grad(); lg.backward(); og.step()
    hist.append((ld.item(), lg.item()))

# %% look
with torch.no_grad():
    s = gen(torch.randn(1000, 16))
m, near = outside.modes(s, centres, 0.4)
e = outside.energy(s, get_batch(1000))
outside.say(m >= 7 and near > 0.7 and e < 0.03, modes=m, near=near, energy=e)
