"""Class imbalance: ten blobs, the commonest 60 times as frequent as the rarest; pairs are packed; do the shares come out right?"""
LABEL = {"sick": False, "causes": [], "kind": "the true law itself is so unbalanced that three of ten blobs hold most samples; G copies the shares, it drops nothing", "since": None, "record": "lines"}
import os
import sys
import random

import numpy as np
import torch
from torch import nn, optim

import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

share = torch.tensor([30, 22, 16, 10, 7, 5, 4, 3, 2.5, 0.5])
share = share / share.sum()
theta = torch.arange(10) * 2.399963          # golden angle
centre = (0.55 * torch.arange(1, 11).sqrt())[:, None] * torch.stack([theta.cos(), theta.sin()], 1)
SD = 0.07
PACK, BATCH, NZ = 2, 256, 8


def draw(n):
    k = torch.multinomial(share, n, replacement=True)
    return centre[k] + SD * torch.randn(n, 2)


def block(i, o):
    return nn.Sequential(nn.Linear(i, o), nn.LeakyReLU(0.2))


class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(block(NZ, 128), block(128, 128), block(128, 128), nn.Linear(128, 2))

    def forward(self, z):
        return self.net(z)


class Disc(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(block(2 * PACK, 128), block(128, 128), block(128, 128), nn.Linear(128, 1))

    def forward(self, x):                    # x: (batch * pack, 2)
        return self.net(x.reshape(-1, 2 * PACK))


G, D = Gen(), Disc()
opt_g = optim.Adam(G.parameters(), lr=4e-4, betas=(0.5, 0.99))
opt_d = optim.Adam(D.parameters(), lr=8e-4, betas=(0.5, 0.99))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)
sp = nn.functional.softplus

for step in range(3000):
    real = draw(BATCH).requires_grad_()
    fake = G(torch.randn(BATCH, NZ))

    real_logits = D(real)
    fake_logits = D(fake.detach())
    grad = torch.autograd.grad(real_logits.sum(), real, create_graph=True)[0]
    d_loss = sp(-real_logits).mean() + sp(fake_logits).mean() + 0.02 * grad.pow(2).sum(1).mean()
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()

    g_loss = sp(-D(fake)).mean()
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()

    recorder.step(real_logits=real_logits, fake_logits=fake_logits, d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)
    if step % 500 == 0:
        print(step, d_loss.item(), g_loss.item())
recorder.close()

with torch.no_grad():
    y = G(torch.randn(6000, NZ))
which = torch.cdist(y, centre).min(1)
got = torch.bincount(which.indices, minlength=10).float() / len(y)
off = 0.5 * (got - share).abs().sum().item()            # total variation of the shares
e = outside.energy(y, draw(1000))
present = int((got > 0.25 * share).sum())
near = float((which.values < 4 * SD).float().mean())
print("wanted", [round(v, 3) for v in share.tolist()], "\ngot   ", [round(v, 3) for v in got.tolist()])
outside.say(e < 0.02 and off < 0.2 and present >= 9 and near > 0.6, energy=e, share_error=off, present=present, near=near)
