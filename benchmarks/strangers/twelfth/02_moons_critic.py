"""A blog post's WGAN with clipped weights on the two moons."""
LABEL = {"sick": False, "causes": [], "kind": "clipped WGAN, losses of a few thousandths all along, five critic steps, good samples", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
from torch import nn
from sklearn.datasets import make_moons
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

CLIP, N_CRITIC = 0.1, 5
X, _ = make_moons(4000, noise=0.06, random_state=SEED)
X = torch.tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32)


def mlp(i, o, h=64):
    return nn.Sequential(nn.Linear(i, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, o))


def batch(n=96):
    return X[torch.randint(len(X), (n,))]


netG, netC = mlp(3, 2), mlp(2, 1)
oG = torch.optim.RMSprop(netG.parameters(), lr=3e-4)
oC = torch.optim.RMSprop(netC.parameters(), lr=1e-3)
for step in range(1800):
    for _ in range(N_CRITIC):
        with torch.no_grad():
            f = netG(torch.randn(96, 3))
        w = netC(batch()).mean() - netC(f).mean()
        oC.zero_grad()
        (-w).backward()
        oC.step()
        with torch.no_grad():
            for p in netC.parameters():
                p.clamp_(-CLIP, CLIP)
    g = -netC(netG(torch.randn(96, 3))).mean()
    oG.zero_grad()
    g.backward()
    oG.step()
    if step == 1300:
        for o in (oG, oC):
            o.param_groups[0]["lr"] *= 0.25

with torch.no_grad():
    e = outside.energy(netG(torch.randn(1000, 3)), X[:1000])
outside.say(e < 0.015, energy=e)
