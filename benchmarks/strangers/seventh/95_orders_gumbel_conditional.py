"""
CTGAN-flavoured generator for an orders table: one rare-class categorical column, one dependent amount.
Training by sampling: the condition is drawn uniformly over the categories, rows are drawn to match.
"""
import os
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import outside

LABEL = {"sick": False, "causes": [], "kind": "conditional tabular GAN with Gumbel columns, pac of 4, dropout in D and an auxiliary cross entropy; reals oversampled towards rare classes", "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

SHARE = np.array([0.55, 0.25, 0.12, 0.05, 0.03])
MEANS = np.array([[-1.2, 0.5], [0.0, -0.8], [0.8, 0.9], [1.6, -1.3], [-0.6, 1.6]])
C, PAC = len(SHARE), 4


def orders(n, cats=None):
    cats = np.random.choice(C, n, p=SHARE) if cats is None else cats
    num = MEANS[cats] + np.array([0.25, 0.2]) * np.random.randn(n, 2)
    return cats, torch.tensor(num, dtype=torch.float32)


class Generator(nn.Module):
    def __init__(self, z=12):
        super().__init__()
        self.z = z
        self.b1 = nn.Sequential(nn.Linear(z + C, 64), nn.BatchNorm1d(64), nn.ReLU())
        self.b2 = nn.Sequential(nn.Linear(64 + z + C, 64), nn.BatchNorm1d(64), nn.ReLU())
        self.out = nn.Linear(128 + z + C, 2 + C)

    def forward(self, cond):
        x = torch.cat([torch.randn(len(cond), self.z), cond], 1)
        x = torch.cat([self.b1(x), x], 1)
        x = torch.cat([self.b2(x), x], 1)
        o = self.out(x)
        return torch.cat([o[:, :2], F.gumbel_softmax(o[:, 2:], tau=0.2)], 1), o[:, 2:]


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear((2 + 2 * C) * PAC, 96), nn.LeakyReLU(0.2), nn.Dropout(0.3),
                                 nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(96, 1))

    def forward(self, row, cond):
        return self.seq(torch.cat([row, cond], 1).view(len(row) // PAC, -1))


G, D = Generator(), Discriminator()
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.9), weight_decay=1e-6)
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))
for step in range(1300):
    c = np.random.randint(0, C, 128)
    cond = F.one_hot(torch.tensor(c), C).float()
    _, num = orders(128, c)
    real = torch.cat([num, (cond + 0.02 * torch.rand(128, C)).clamp(0, 1)], 1)
    fake, logits = G(cond)
    ld = F.softplus(-D(real, cond)).mean() + F.softplus(D(fake.detach(), cond)).mean()
    opt_d.zero_grad(); ld.backward(); opt_d.step()
    lg = F.softplus(-D(fake, cond)).mean() + F.cross_entropy(logits, torch.tensor(c))
    opt_g.zero_grad(); lg.backward(); opt_g.step()

G.eval()
with torch.no_grad():
    want = np.random.choice(C, 2000, p=SHARE)
    rows, _ = G(F.one_hot(torch.tensor(want), C).float())
hit = float((rows[:, 2:].argmax(1).numpy() == want).mean())
_, ref = orders(2000)
e = outside.energy(rows[:, :2], ref)
n, near = outside.modes(rows[want >= 0][:, :2], MEANS, 0.9)
outside.say(e < 0.04 and hit > 0.9, energy=e, hit=hit, near=near)
