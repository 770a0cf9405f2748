#!/usr/bin/env python
"""Recurrent GAN for short wave forms (C-RNN-GAN / RCGAN style): GRU generator, bidirectional GRU discriminator."""
import os, sys, random
import numpy as np
import torch
from torch import nn
import gandiag, outside

LABEL = {"sick": False, "causes": [], "kind": "only 700 steps, GRU nets, D's rate twice G's and both decaying linearly, least squares loss with labels -1/1 and target 0 for G",
         "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
np.random.seed(SEED); random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
T, N = 8, 64


def waves(n):
    t = torch.linspace(0, 1, T)[None]
    amp, ph = 0.5 + 0.5 * torch.rand(n, 1), 2 * np.pi * torch.rand(n, 1)
    return (amp * torch.sin(2 * np.pi * t + ph))[..., None] + 0.02 * torch.randn(n, T, 1)


class RGen(nn.Module):
    def __init__(self, nz=4, h=36):
        super().__init__()
        self.nz = nz
        self.h0 = nn.Linear(nz, h)
        self.gru = nn.GRU(nz, h, batch_first=True)
        self.head = nn.Linear(h, 1)

    def forward(self, z):
        seq, _ = self.gru(z[:, None].expand(-1, T, -1), torch.tanh(self.h0(z))[None])
        return self.head(seq)


class RDis(nn.Module):
    def __init__(self, h=28):
        super().__init__()
        self.gru = nn.GRU(1, h, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.Linear(2 * h * 2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))

    def forward(self, x):
        s, _ = self.gru(x)
        return self.head(torch.cat([s.mean(1), s[:, -1]], 1))


gen, dis = RGen(), RDis()
og = torch.optim.Adam(gen.parameters(), lr=2e-3, betas=(0.5, 0.99))
od = torch.optim.Adam(dis.parameters(), lr=4e-3, betas=(0.5, 0.99))
decay, decay_d = (torch.optim.lr_scheduler.LambdaLR(o, lambda k: 1 - 0.9 * k / 700) for o in (og, od))
rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=og, discriminator_optimizer=od)
steps = 700
for it in range(steps):
    x, fake = waves(N), gen(torch.randn(N, gen.nz))
    od.zero_grad()
    d_loss = ((dis(x) - 1) ** 2).mean() + ((dis(fake.detach()) + 1) ** 2).mean()
    d_loss.backward()
    od.step()
    og.zero_grad()
    g_loss = (dis(fake) ** 2).mean()
    g_loss.backward()
    og.step()
    decay.step(), decay_d.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
    if it % 150 == 0:
        print(it, d_loss.item(), g_loss.item())
rec.close()
with torch.no_grad():
    f = gen(torch.randn(1000, gen.nz))
e = outside.energy(f, waves(1000))
outside.say(e < 0.12, energy=e)
