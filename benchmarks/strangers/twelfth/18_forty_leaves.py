"""Forty measured leaves (length, width, stalk, angle) only; jittered copies for the discriminator, gradient penalty on real leaves."""
LABEL = {"sick": False, "causes": [], "kind": "40 rows, noise augmentation of real and fake alike, R1; agrees with fresh data of the same law", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


def leaves(n, rng):
    size = rng.normal(0, 1, n)
    length = size + 0.3 * rng.normal(size=n)
    width = 0.6 * size + 0.5 * rng.normal(size=n)
    stalk = -0.5 * size + 0.6 * rng.normal(size=n)
    angle = 0.8 * rng.normal(size=n)
    return torch.tensor(np.stack([length, width, stalk, angle], 1), dtype=torch.float32)


few = leaves(40, np.random.default_rng(5))
fresh = leaves(1000, np.random.default_rng(6))

net_g = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 4))
net_d = nn.Sequential(nn.Linear(4, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
opt = {"g": torch.optim.Adam(net_g.parameters(), 1e-3, betas=(0.5, 0.99)), "d": torch.optim.Adam(net_d.parameters(), 1e-3, betas=(0.5, 0.99))}
jit = lambda v: v + 0.2 * torch.randn_like(v)


def update(which, loss):
    opt[which].zero_grad()
    loss.backward()
    opt[which].step()


for it in range(4000):
    real = jit(few[torch.randint(40, (40,))]).requires_grad_()
    s = net_d(real)
    pen = torch.autograd.grad(s.sum(), real, create_graph=True)[0].pow(2).sum(1).mean()
    update("d", F.softplus(-s).mean() + F.softplus(net_d(jit(net_g(torch.randn(40, 4)).detach()))).mean() + 0.3 * pen)
    update("g", F.softplus(-net_d(jit(net_g(torch.randn(40, 4))))).mean())

with torch.no_grad():
    made = net_g(torch.randn(1000, 4))
e = outside.energy(made, fresh)
outside.say(e < 0.03, energy=e, few_vs_fresh=outside.energy(few, fresh))
