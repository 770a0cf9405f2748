"""Digits from a handful of scans: how far does a plain GAN get with the forms of one afternoon (30 pictures)?"""
LABEL = {"sick": True, "causes": ["memorisation", "discriminator_overfitting", "discriminator_dominance", "mode_dropping"], "kind": "only 30 pictures and no remedy: D learns them by heart, G copies some of them", "since": None, "record": "automatic"}

import os
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
N_SCANS = 30
STEPS = 2600


def build(widths, norm=False, end=None):
    layers = []
    for a, b in zip(widths[:-2], widths[1:-1]):
        layers += [nn.Linear(a, b)] + ([nn.BatchNorm1d(b)] if norm else []) + [nn.LeakyReLU(0.2)]
    layers.append(nn.Linear(widths[-2], widths[-1]))
    return nn.Sequential(*layers, *([end] if end else []))


def endless(loader):
    while True:
        for (batch,) in loader:
            yield batch


torch.manual_seed(SEED)
torch.set_num_threads(1)
pictures, _ = outside.digits()
pictures = pictures.flatten(1)
order = np.random.default_rng(SEED).permutation(len(pictures))
held, pool = order[:600], order[600:]
scans = Subset(TensorDataset(pictures), pool[:N_SCANS].tolist())
batches = endless(DataLoader(scans, batch_size=min(64, len(scans)), shuffle=True, drop_last=True))

G = build([32, 192, 192, 64], norm=True, end=nn.Tanh())
D = build([64, 256, 128, 1])
opt_g = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.999))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)
bce = nn.functional.binary_cross_entropy_with_logits

for step in range(STEPS):
    real = next(batches).requires_grad_(True)
    fake = G(torch.randn(64, 32))
    pr, pf = D(real), D(fake.detach())
    slope, = torch.autograd.grad(pr.sum(), real, create_graph=True)
    d = bce(pr, torch.ones_like(pr)) + bce(pf, torch.zeros_like(pf)) + 0.1 * slope.square().sum(1).mean()
    opt_d.zero_grad()
    d.backward()
    opt_d.step()
    p = D(fake)
    g = bce(p, torch.ones_like(p))
    opt_g.zero_grad()
    g.backward()
    opt_g.step()
    if step % 500 == 0:
        print(step, round(d.item(), 3), round(g.item(), 3))
recorder.close()

G.eval()
with torch.no_grad():
    made = G(torch.randn(1000, 32))
e = outside.energy(made, pictures[held])
seen = pictures[pool[:N_SCANS]]
to_seen = torch.cdist(made, seen).min(1).values.mean().item()
fresh = torch.cdist(pictures[held], seen).min(1).values.mean().item()
classes, near, _ = outside.digit_quality(made)
copied = to_seen / fresh
outside.say(e < 0.04 and copied > 0.8 and classes >= 9, energy=e, copied=copied, classes=classes, near=near)
