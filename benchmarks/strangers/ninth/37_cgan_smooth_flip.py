#!/usr/bin/env python3
"""Conditional GAN with the "ganhacks": soft labels, flipped labels, instance noise, dropout in G."""
import os, random
from itertools import cycle
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
import outside

LABEL = {"sick": False, "causes": [], "kind": "cGAN with soft and 8 % flipped labels, decaying instance noise, dropout in G: D never gets confident",
         "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

N_CLASS, NZ, BS, N_ITER = 10, 24, 60, 1400
images, labels = outside.digits()
images = images.flatten(1)
loader = cycle(DataLoader(TensorDataset(images, labels), BS, shuffle=True, drop_last=True))


def one_hot(y):
    return nn.functional.one_hot(y, N_CLASS).float()


class Painter(nn.Module):
    def __init__(self):
        super().__init__()
        self.style = nn.Linear(NZ, 96)
        self.klass = nn.Linear(N_CLASS, 96, bias=False)
        self.rest = nn.Sequential(nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 160), nn.BatchNorm1d(160), nn.ReLU(),
                                  nn.Dropout(0.1), nn.Linear(160, 64), nn.Tanh())

    def forward(self, z, y):
        return self.rest(self.style(z) + 2 * self.klass(one_hot(y)))


class Critic(nn.Module):
    """projection discriminator"""
    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(64, 192), nn.LeakyReLU(0.2), nn.Linear(192, 96), nn.LeakyReLU(0.2))
        self.psi = nn.Linear(96, 1)
        self.proj = nn.Embedding(N_CLASS, 96)
        nn.init.normal_(self.proj.weight, std=0.1)

    def forward(self, x, y):
        h = self.phi(x)
        return self.psi(h) + (self.proj(y) * h).sum(1, keepdim=True)


G, D = Painter(), Critic()
opt = {"G": torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999)),
       "D": torch.optim.Adam(D.parameters(), lr=7e-4, betas=(0.5, 0.999))}
bce = nn.BCEWithLogitsLoss()


def targets(value):
    t = torch.full((BS, 1), float(value))
    t = torch.where(torch.rand(BS, 1) < 0.08, 1 - t, t)       # flips
    return t * 0.9 + 0.05 * torch.rand(BS, 1)                 # soft


for it in range(N_ITER):
    x, y = next(loader)
    sigma = 0.15 * (1 - it / N_ITER)
    fake = G(torch.randn(BS, NZ), y)
    noisy = lambda t: t + sigma * torch.randn_like(t)

    opt["D"].zero_grad()
    loss_d = bce(D(noisy(x), y), targets(1)) + bce(D(noisy(fake.detach()), y), targets(0))
    loss_d.backward()
    opt["D"].step()

    opt["G"].zero_grad()
    loss_g = bce(D(noisy(fake), y), torch.ones(BS, 1))
    loss_g.backward()
    opt["G"].step()
    if it % 700 == 0:
        print(it, float(loss_d), float(loss_g))

G.eval()
with torch.no_grad():
    y = torch.arange(10).repeat(80)
    out = G(torch.randn(800, NZ), y)
classes, near, acc = outside.digit_quality(out, y)
e = outside.energy(out, images[torch.randperm(len(images))])
outside.say(e < 0.08 and acc > 0.8 and classes == 10, energy=e, classes=classes, near=near, wanted=acc)
