"""relativistic average GAN; warm restarts; averaged weights for sampling."""
import copy
import math
import os
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

import outside

LABEL = {"sick": False, "causes": [], "kind": "relativistic average loss with cosine warm restarts (rates jump up every 500 steps) and EMA: saw-tooth losses",
         "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

table = StandardScaler().fit_transform(load_wine().data)[:, [0, 6, 9, 11, 12]]
table = torch.tensor(table, dtype=torch.float32)


class Tabular(nn.Module):
    def __init__(self, nin, nout, h=80):
        super().__init__()
        self.inp, self.hid, self.skip = nn.Linear(nin, h), nn.Linear(h, h), nn.Linear(nin, h)
        self.norm, self.out = nn.LayerNorm(h), nn.Linear(h, nout)

    def forward(self, v):
        h = nn.functional.gelu(self.inp(v))
        return self.out(nn.functional.gelu(self.norm(self.hid(h) + self.skip(v))))


G, D = Tabular(8, 5), Tabular(5, 1)
G_ema = copy.deepcopy(G).requires_grad_(False)
optG = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.99))
optD = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.99))
schedulers = [torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=500, eta_min=5e-5) for o in (optG, optD)]
bce = nn.functional.binary_cross_entropy_with_logits


def rela(a, b):
    ra, rb = a - b.mean(), b - a.mean()
    return (bce(ra, torch.ones_like(ra)) + bce(rb, torch.zeros_like(rb))) / 2


STEPS, DECAY = 2000, 0.995
for step in range(STEPS):
    rows = table[torch.randint(len(table), (64,))]
    rows = rows + 0.1 * torch.randn_like(rows)
    made = G(torch.randn(64, 8))

    loss_D = rela(D(rows), D(made.detach()))
    optD.zero_grad()
    loss_D.backward()
    nn.utils.clip_grad_norm_(D.parameters(), 5.0)
    optD.step()

    for p in D.parameters():
        p.requires_grad = False
    loss_G = rela(D(made), D(rows))
    optG.zero_grad()
    loss_G.backward()
    nn.utils.clip_grad_norm_(G.parameters(), 5.0)
    optG.step()
    for p in D.parameters():
        p.requires_grad = True

    for s in schedulers:
        s.step()
    for a, b in zip(G_ema.parameters(), G.parameters()):
        a.lerp_(b.detach(), 1 - DECAY)
    if step % 500 == 0:
        print(step, f"{loss_D.item():.3f} {loss_G.item():.3f}", optG.param_groups[0]["lr"])

fake = G_ema(torch.randn(1000, 8))
e = outside.energy(fake, table)
plain = outside.energy(G(torch.randn(1000, 8)), table)
outside.say(e < 0.05 and plain < 0.08, energy=e, energy_of_raw_weights=plain)
