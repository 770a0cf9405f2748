"""A GAN that crashes with its own error after twelve steps."""
import sys

import torch
from torch import nn
from torch.nn.functional import softplus

torch.manual_seed(21)
g, d = nn.Linear(4, 3), nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
og, od = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)


def train_step(step):
    fake = g(torch.randn(16, 4))
    od.zero_grad()
    (softplus(-d(torch.randn(16, 3))).mean() + softplus(d(fake.detach())).mean()).backward()
    od.step()
    og.zero_grad()
    softplus(-d(fake)).mean().backward()
    og.step()
    if step == 12:
        raise RuntimeError("the shelf broke")


for i in range(20):
    train_step(i)
    if "--exit" in sys.argv and i == 8:
        print("leaving")
        sys.exit(7)
