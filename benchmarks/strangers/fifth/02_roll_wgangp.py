"""Swiss roll with WGAN-GP."""
LABEL = {"sick": False, "causes": [], "kind": "healthy WGAN-GP on a noisy roll in three dimensions", "since": None, "record": "attach"}
# %%
import os
import numpy as np
import torch
import torch.nn as nn
from torch.autograd import grad
from sklearn.datasets import make_swiss_roll
import outside
seed = int(os.environ.get("SEED", "0"))
torch.manual_seed(seed); torch.set_num_threads(1)
# %%
pts, _ = make_swiss_roll(6000, noise=0.7, random_state=seed)
pts = torch.tensor(pts, dtype=torch.float32)
pts = (pts - pts.mean(0)) / pts.std(0)
train, test = pts[:5000], pts[5000:]
# %%
netG = nn.Sequential(nn.Linear(6, 96), nn.GELU(), nn.Linear(96, 96), nn.GELU(), nn.Linear(96, 3))
critic = nn.Sequential(nn.Linear(3, 96), nn.SiLU(), nn.Linear(96, 96), nn.SiLU(), nn.Linear(96, 1))
opt_c = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.0, 0.9))
opt_g = torch.optim.Adam(netG.parameters(), lr=1e-3, betas=(0.0, 0.9))
LAMBDA, N_CRITIC, BS = 1.0, 4, 128

def gradient_penalty(x, y):
    t = torch.rand(len(x), 1)
    m = (t * x + (1 - t) * y).requires_grad_(True)
    g, = grad(critic(m).sum(), m, create_graph=True)
    return ((g.norm(dim=1) - 1) ** 2).mean()
# %%
history = []
for epoch in range(12):
    for _ in range(65):
        for k in range(N_CRITIC):
            x = train[torch.randint(len(train), (BS,))]
            with torch.no_grad():
                y = netG(torch.randn(BS, 6))
            w = critic(x).mean() - critic(y).mean()
            loss_c = -w + LAMBDA * gradient_penalty(x, y)
            opt_c.zero_grad(); loss_c.backward(); opt_c.step()
        loss_g = -critic(netG(torch.randn(BS, 6))).mean()
        opt_g.zero_grad(); loss_g.backward(); opt_g.step()
        history.append(w.item())
    print(f"epoch {epoch}  W {np.mean(history[-65:]):.3f}")
# %%
s = netG(torch.randn(1000, 6)).detach()
e = outside.energy(s, test)
near = torch.cdist(s, train).min(1).values.mean() / torch.cdist(test, train).min(1).values.mean()
outside.say(e < 0.02 and near < 2.5, energy=e, nearest=float(near))
