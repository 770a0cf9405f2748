"""My first GAN notebook: eight little clouds on a ring, from 4-D noise."""
LABEL = {"sick": True, "causes": ["learning_rate", "mode_collapse", "oscillation"], "kind": "generator's Adam runs at 2e-1 (typed for 2e-4): it throws itself about and ends on a point", "since": 0, "record": "attach"}
# %% imports
import os, random, math
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import outside
SEED = int(os.environ.get("SEED", "0")); random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

# %% data
angles = torch.arange(8) * 2 * math.pi / 8
centres = torch.stack([angles.cos(), angles.sin()], 1)
def sample(n):
    return centres[torch.randint(8, (n,))] + 0.05 * torch.randn(n, 2)

# %% nets
gen = nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
dis = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
optG = torch.optim.Adam(gen.parameters(), lr=2e-1, betas=(0.5, 0.99))
optD = torch.optim.Adam(dis.parameters(), lr=1e-3, betas=(0.5, 0.99))

# %% train
BS = 160
hist = []
for it in range(4000):
    x = sample(BS)
    z = torch.randn(BS, 4)
    fake = gen(z)
    xr = x + 0.05 * torch.randn_like(x)
    lossD = F.softplus(-dis(xr)).mean() + F.softplus(dis(fake.detach() + 0.05 * torch.randn_like(x))).mean()
    optD.zero_grad(); lossD.backward(); optD.step()
    lossG = F.softplus(-dis(gen(torch.randn(BS, 4)))).mean()
    optG.zero_grad(); lossG.backward(); optG.step()
    hist.append((lossD.item(), lossG.item()))

# %% look
with torch.no_grad():
    s = gen(torch.randn(1000, 4))
m, q = outside.modes(s, centres, 0.25)
outside.say(m >= 7 and q > 0.7, modes=m, near=q, energy=outside.energy(s, sample(1000)))
