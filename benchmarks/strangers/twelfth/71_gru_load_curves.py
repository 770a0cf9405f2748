"""Recurrent GAN for daily load curves (24 hours) with a GRU generator, R1 and cosine warm restarts of both learning rates."""
import os, random, sys
import numpy as np, torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts
import outside

LABEL = {"sick": False, "causes": [], "kind": "healthy GRU GAN with R1, warm restarts and gradient clipping", "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
T = 24


def load_curves(n):
    t = torch.arange(T).float()
    level = 0.2 * torch.randn(n, 1)
    morning = (0.5 + 0.2 * torch.rand(n, 1)) * torch.exp(-((t - 8 - torch.randn(n, 1) * 0.7) / 2) ** 2)
    evening = (0.8 + 0.3 * torch.rand(n, 1)) * torch.exp(-((t - 19 - torch.randn(n, 1) * 0.7) / 2.5) ** 2)
    return (level + morning + evening - 0.3 + 0.03 * torch.randn(n, T)).unsqueeze(-1)


class GRUGenerator(nn.Module):
    def __init__(self, z=8, h=32):
        super().__init__()
        self.start = nn.Linear(z, h)
        self.inp = nn.Linear(z, 12)
        self.clock = nn.Parameter(torch.randn(T, 12) * 0.5)
        self.rnn = nn.GRU(12, h, batch_first=True)
        self.head = nn.Linear(h, 1)

    def forward(self, z):
        x = self.inp(z)[:, None] + self.clock[None]
        h, _ = self.rnn(x, torch.tanh(self.start(z))[None])
        return self.head(h)


class CurveDiscriminator(nn.Module):
    def __init__(self, h=96):
        super().__init__()
        self.head = nn.Sequential(nn.Linear(T, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, 1))

    def forward(self, x):
        return self.head(x.squeeze(-1))


data = load_curves(3000)
G, D = GRUGenerator(), CurveDiscriminator()
og = torch.optim.AdamW(G.parameters(), lr=2e-3, betas=(0.5, 0.99), weight_decay=1e-4)
od = torch.optim.AdamW(D.parameters(), lr=2e-3, betas=(0.5, 0.99), weight_decay=1e-4)
sg, sd = CosineAnnealingWarmRestarts(og, 300, eta_min=1e-4), CosineAnnealingWarmRestarts(od, 300, eta_min=1e-4)
for it in range(1500):
    real = data[torch.randint(0, len(data), (64,))].requires_grad_(True)
    fake = G(torch.randn(64, 8))
    r = D(real)
    gr, = torch.autograd.grad(r.sum(), real, create_graph=True)
    ld = F.softplus(-r).mean() + F.softplus(D(fake.detach())).mean() + 0.05 * gr.flatten(1).pow(2).sum(1).mean()
    od.zero_grad(); ld.backward()
    nn.utils.clip_grad_norm_(D.parameters(), 1.0)
    od.step(); sd.step()
    lg = F.softplus(-D(fake)).mean()
    og.zero_grad(); lg.backward()
    nn.utils.clip_grad_norm_(G.parameters(), 1.0)
    og.step(); sg.step()
    if it % 125 == 0:
        print(it, f"{ld.item():.3f} {lg.item():.3f} lr {sg.get_last_lr()[0]:.1e}")
with torch.no_grad():
    f = G(torch.randn(1000, 8))
real = load_curves(1000)
e = outside.energy(f, real)
sr = (f.std(0).mean() / real.std(0).mean()).item()
outside.say(e < 0.05 and 0.6 < sr < 1.5, energy=e, spread=sr)
