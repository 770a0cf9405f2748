"""Pulse-shape GAN (detector waveforms, 20 samples).  python 17_pulses_ttur.py OUTDIR"""
import os
import random
import sys
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import gandiag
import outside

LABEL = {"sick": True, "causes": ["learning_rate", "discriminator_dominance", "stagnation", "vanishing_generator_gradient"], "kind": "two time-scale rule overdone: D at 1e-2, G at 1e-5, D wins for ever", "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
args = SimpleNamespace(steps=1500, bs=80, zdim=10, lr_d=1e-2, lr_g=1e-5)


def pulses(n, t=np.linspace(0, 4, 20)[None]):
    t0 = np.random.uniform(0.2, 1.5, (n, 1))
    tau = np.random.gamma(8, 0.1, (n, 1))
    u = np.clip(t - t0, 0, None) / tau
    y = np.random.uniform(1, 2, (n, 1)) * u * np.exp(1 - u) + 0.03 * np.random.randn(n, 20)
    return torch.as_tensor(y, dtype=torch.float32)


class PulseNet(nn.Module):
    def __init__(self, n_in, n_out, hidden=(80, 80), slope=0.0, norm=False):
        super().__init__()
        self.slope = slope
        sizes = (n_in,) + hidden
        self.fcs = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, hidden))
        self.norms = nn.ModuleList(nn.BatchNorm1d(h) if norm else nn.Identity() for h in hidden)
        self.last = nn.Linear(hidden[-1], n_out)

    def forward(self, x):
        for fc, norm in zip(self.fcs, self.norms):
            x = F.leaky_relu(norm(fc(x)), self.slope)
        return self.last(x)


random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)
gen = PulseNet(args.zdim, 20, norm=True)
dis = PulseNet(20, 1, hidden=(96, 48), slope=0.2)
opt = {"gen": torch.optim.Adam(gen.parameters(), args.lr_g, betas=(0.5, 0.9)), "dis": torch.optim.Adam(dis.parameters(), args.lr_d, betas=(0.5, 0.9))}
rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=opt["gen"], discriminator_optimizer=opt["dis"])

for step in range(args.steps):
    x = pulses(args.bs)
    y = gen(torch.randn(args.bs, args.zdim))
    sx, sy = dis(x), dis(y.detach())
    d_loss = F.binary_cross_entropy_with_logits(sx, torch.ones_like(sx)) + F.binary_cross_entropy_with_logits(sy, torch.zeros_like(sy))
    opt["dis"].zero_grad()
    d_loss.backward()
    opt["dis"].step()
    s = dis(y)
    g_loss = F.binary_cross_entropy_with_logits(s, torch.ones_like(s))
    opt["gen"].zero_grad()
    g_loss.backward()
    opt["gen"].step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real_logits=sx, fake_logits=sy)
rec.close()

with torch.no_grad():
    w = gen(torch.randn(1000, args.zdim))
e = outside.energy(w, pulses(1000))
outside.say(e < 0.1, energy=e)
