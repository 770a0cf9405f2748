"""Hinge tiny batches."""
# Imputation paper, appendix: unconditional baseline on the diabetes table. Small batches, SN critic, 1500 updates.
import os, random
import numpy as np
import torch
import torch.nn as nn
from torch.nn.utils.parametrizations import spectral_norm
from sklearn.datasets import load_diabetes
import outside

LABEL = {"sick": False, "causes": [], "kind": "1500 updates on batches of 16 rows, hinge with spectral norm: noisy and nearly flat losses, D barely better than chance",
         "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

table = load_diabetes().data[:, [0, 2, 3, 4, 7, 8]]
table = torch.tensor(table / table.std(0), dtype=torch.float32)

G = nn.Sequential(nn.Linear(10, 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU(), nn.Linear(48, 6))
D = nn.Sequential(spectral_norm(nn.Linear(6, 64)), nn.ReLU(), spectral_norm(nn.Linear(64, 64)), nn.ReLU(), spectral_norm(nn.Linear(64, 1)))
gopt = torch.optim.RMSprop(G.parameters(), lr=6e-4)
dopt = torch.optim.RMSprop(D.parameters(), lr=1.2e-3)

order = torch.randperm(len(table))
pos = 0
for update in range(1500):
    if pos + 16 > len(order):
        order, pos = torch.randperm(len(table)), 0
    real = table[order[pos:pos + 16]]
    pos += 16

    gopt.zero_grad()
    (-D(G(torch.randn(16, 10)))).mean().backward()
    gopt.step()

    with torch.no_grad():
        fake = G(torch.randn(16, 10))
    dopt.zero_grad()
    loss = (1 - D(real)).clamp(min=0).mean() + (1 + D(fake)).clamp(min=0).mean()
    loss.backward()
    dopt.step()

with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, 10)), table)
outside.say(e < 0.06, energy=e)
