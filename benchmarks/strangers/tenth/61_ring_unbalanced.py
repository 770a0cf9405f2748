"""Toy experiment of section 4.1: mixture of eight Gaussians on a circle."""
import math
import os
import random

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

import outside

LABEL = {"sick": True, "causes": ["mode_collapse", "oscillation", "discriminator_weakness", "mode_dropping"],
         "kind": "G takes eight updates for each of a small D (\"G's loss was too high\"): it jumps from mode to mode",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

N_MODES, RADIUS, STD = 8, 2.0, 0.08
Z_DIM = 16
BATCH = 128
ITERS = 2400
G_STEPS = 8

ang = torch.arange(N_MODES) * 2 * math.pi / N_MODES
CENTRES = RADIUS * torch.stack([ang.cos(), ang.sin()], 1)


def sample_real(n):
    return CENTRES[torch.randint(N_MODES, (n,))] + STD * torch.randn(n, 2)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(Z_DIM, 96)
        self.fc2 = nn.Linear(96, 96)
        self.out = nn.Linear(96, 2)

    def forward(self, z):
        h = F.relu(self.fc1(z))
        h = F.relu(self.fc2(h))
        return self.out(h)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 96)
        self.fc2 = nn.Linear(96, 96)
        self.out = nn.Linear(96, 1)

    def forward(self, x):
        h = F.leaky_relu(self.fc1(x), 0.2)
        h = F.leaky_relu(self.fc2(h), 0.2)
        return self.out(h)


G, D = Generator(), Discriminator()
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_every = G_STEPS

for it in range(ITERS):
    if it % d_every == 0:
        x = sample_real(BATCH)
        with torch.no_grad():
            xf = G(torch.randn(BATCH, Z_DIM))
        loss_d = F.softplus(-D(x)).mean() + F.softplus(D(xf)).mean()
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()

    loss_g = F.softplus(-D(G(torch.randn(BATCH, Z_DIM)))).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if it % 800 == 0:
        print(it, loss_d.item(), loss_g.item())

with torch.no_grad():
    fake = G(torch.randn(2000, Z_DIM))
n, near = outside.modes(fake, CENTRES, 0.5)
e = outside.energy(fake, sample_real(1000))
outside.say(n >= 7 and near > 0.5 and e < 0.06, modes=n, near=near, energy=e)
