"""WGAN-GP on digits seen through an 8x8 sensor in raw counts (0..16, no rescaling); softplus output."""
import os
import random
import sys

import numpy as np
import torch
from torch import nn, autograd
from sklearn.datasets import load_digits

import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "WGAN-GP in raw sensor counts: D loss starts in the hundreds, drifts and stays negative; G's loss wanders far from zero",
         "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


class CountGenerator(nn.Module):
    def __init__(self, z=20):
        super().__init__()
        self.z = z
        self.trunk = nn.Sequential(nn.Linear(z, 128), nn.LayerNorm(128), nn.ReLU(), nn.Linear(128, 128), nn.LayerNorm(128), nn.ReLU())
        self.rate = nn.Linear(128, 64)

    def forward(self, n):
        return nn.functional.softplus(3 * self.rate(self.trunk(torch.randn(n, self.z)))) * 2


class Wrapped(nn.Module):
    """generator with the usual call convention"""
    def __init__(self, core):
        super().__init__()
        self.core = core

    def forward(self, n):
        return self.core(n)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(64, 128)
        self.b = nn.Linear(128, 128)
        self.c = nn.Linear(128, 1)

    def forward(self, x):
        h = nn.functional.leaky_relu(self.a(x), 0.2)
        h = nn.functional.leaky_relu(self.b(h), 0.2)
        return self.c(h)


def gp(critic, x, y, weight=1.0):
    u = torch.rand(x.shape[0], 1)
    v = (u * x + (1 - u) * y).requires_grad_()
    g = autograd.grad(critic(v).sum(), v, create_graph=True)[0]
    return weight * (g.norm(dim=1) - 1).square().mean()


counts = torch.tensor(load_digits().data, dtype=torch.float32)
G, C = Wrapped(CountGenerator()), Critic()
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.0, 0.9))
c_opt = torch.optim.Adam(C.parameters(), lr=1e-3, betas=(0.0, 0.9))

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=C, generator_optimizer=g_opt,
                      discriminator_optimizer=c_opt, automatic=True):
    for it in range(650):
        for _ in range(3):
            x = counts[torch.randint(len(counts), (64,))]
            with torch.no_grad():
                y = G(64)
            loss_c = C(y).mean() - C(x).mean() + gp(C, x, y)
            c_opt.zero_grad()
            loss_c.backward()
            c_opt.step()
        g_opt.zero_grad()
        loss_g = -C(G(64)).mean()
        loss_g.backward()
        g_opt.step()
        if it % 200 == 0:
            print(it, round(loss_c.item(), 2), round(loss_g.item(), 2))

with torch.no_grad():
    s = G(1000)
k, dist, _ = outside.digit_quality(s / 8 - 1)
e = outside.energy(s, counts[torch.randperm(len(counts))])
outside.say(k >= 8 and dist < 1.9 and e < 0.05, classes=k, distance=dist, energy=e)
