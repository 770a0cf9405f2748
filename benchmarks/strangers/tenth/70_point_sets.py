"""GAN on sets: rings of 20 points, permutation-equivariant generator with attention and a Deep-Sets critic (logistic loss)."""
import os
import random

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus

import outside

LABEL = {"sick": True, "causes": ["objective_fault", "oscillation", "divergence"],
         "kind": "gradients of D are never zeroed: they accumulate over the whole run, those of G's loss included",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

N_PTS, D_Z, D_H, BS, ITER = 12, 8, 32, 48, 1300


def rings(b):
    angle = 2 * np.pi * torch.rand(b, N_PTS, 1)
    radius = 0.6 + 0.8 * torch.rand(b, 1, 1)
    centre = 0.5 * torch.randn(b, 1, 2)
    return centre + radius * torch.cat([angle.cos(), angle.sin()], 2)


def summary(s):
    """centre, spread and radial variation of every set"""
    c = s.mean(1)
    r = (s - c[:, None]).norm(dim=2)
    return torch.cat([c, r.mean(1, keepdim=True), 2 * r.std(1, keepdim=True)], 1)


class SetGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(2 + D_Z, D_H)
        self.att = nn.MultiheadAttention(D_H, 2, batch_first=True)
        self.ff = nn.Sequential(nn.Linear(D_H + D_Z, 64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 2))

    def forward(self, b):
        z = torch.randn(b, 1, D_Z).expand(-1, N_PTS, -1)
        h = self.embed(torch.cat([torch.randn(b, N_PTS, 2), z], 2))
        h = h + self.att(h, h, h, need_weights=False)[0]
        return self.ff(torch.cat([h, z], 2))


class DeepSets(nn.Module):
    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2))
        self.rho = nn.Sequential(nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, s):
        h = self.phi(s)
        return self.rho(torch.cat([h.mean(1), h.amax(1)], 1))


gen, critic = SetGenerator(), DeepSets()
opt_gen = torch.optim.Adam(gen.parameters(), lr=5e-4, betas=(0.5, 0.99))
opt_critic = torch.optim.Adam(critic.parameters(), lr=5e-4, betas=(0.5, 0.99))

for it in range(ITER):
    real, fake = rings(BS), gen(BS)
    loss_critic = softplus(-critic(real)).mean() + softplus(critic(fake.detach())).mean()
    loss_critic.backward()
    opt_critic.step()

    loss_gen = softplus(-critic(fake)).mean()
    opt_gen.zero_grad()
    loss_gen.backward()
    opt_gen.step()

    if it % 400 == 0:
        print(f"{it:5d} {loss_critic.item():.3f} {loss_gen.item():.3f}")

gen.eval()
with torch.no_grad():
    fake = gen(1000)
torch.manual_seed(11)
e = outside.energy(summary(fake), summary(rings(1000)))
outside.say(e < 0.1, energy=e)
