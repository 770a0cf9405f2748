"""Relativistic ema."""
import copy
import os
import random
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "relativistic average GAN on digits, D and G share optimizer settings, samples from an EMA of G",
         "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))


class ResBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.n = nn.LayerNorm(width)
        self.f = nn.Linear(width, width)

    def forward(self, h):
        return h + self.f(F.silu(self.n(h)))


class G(nn.Module):
    def __init__(self, z=32, width=128):
        super().__init__()
        self.inp = nn.Linear(z, width)
        self.blocks = nn.Sequential(ResBlock(width), ResBlock(width))
        self.out = nn.Linear(width, 64)

    def forward(self, z):
        return torch.tanh(self.out(F.silu(self.blocks(self.inp(z)))))


class D(nn.Module):
    def __init__(self, width=128):
        super().__init__()
        self.inp = nn.Linear(64, width)
        self.mid = nn.Linear(width, width)
        self.out = nn.Linear(width, 1)

    def forward(self, x):
        h = F.leaky_relu(self.inp(x), 0.2)
        return self.out(F.leaky_relu(self.mid(h), 0.2))


class EMA:
    def __init__(self, model, decay):
        self.model = copy.deepcopy(model).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, model):
        for a, b in zip(self.model.parameters(), model.parameters()):
            a.lerp_(b, 1 - self.decay)


def ra_losses(cr, cf):
    d = F.softplus(-(cr - cf.mean())).mean() + F.softplus(cf - cr.mean()).mean()
    return d / 2


def main():
    random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
    data = outside.digits()[0].flatten(1)
    g, d = G(), D()
    ema = EMA(g, 0.99)
    og = torch.optim.AdamW(g.parameters(), 8e-4, betas=(0.5, 0.99), weight_decay=1e-4)
    od = torch.optim.AdamW(d.parameters(), 8e-4, betas=(0.5, 0.99), weight_decay=1e-4)
    with gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od) as rec:
        for step in range(1100):
            x = data[torch.randint(len(data), (64,))]
            fake = g(torch.randn(64, 32))
            d_loss = ra_losses(d(x), d(fake.detach()))
            od.zero_grad()
            d_loss.backward()
            od.step()
            g_loss = ra_losses(d(fake), d(x).detach())
            og.zero_grad()
            g_loss.backward()
            og.step()
            ema.update(g)
            rec.step(d_loss=d_loss, g_loss=g_loss)
    with torch.no_grad():
        out = ema.model(torch.randn(1000, 32))
        raw = g(torch.randn(1000, 32))
    perm = torch.randperm(len(data))
    e, er = outside.energy(out, data[perm]), outside.energy(raw, data[perm])
    classes, near, _ = outside.digit_quality(out)
    outside.say(e < 0.05 and er < 0.08 and classes >= 9, energy=e, energy_raw=er, classes=classes, near=near)


if __name__ == "__main__":
    main()
