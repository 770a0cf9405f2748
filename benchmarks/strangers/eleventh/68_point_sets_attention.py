"""Generates small point sets (8 points on an ellipse of random size) with self-attention in both nets and the hinge loss."""
LABEL = {"sick": False, "causes": [], "kind": "healthy attention GAN on sets, hinge", "since": None, "record": "automatic"}
import os, sys, random, math
import numpy as np, torch
from torch import nn
import torch.nn.functional as F
import gandiag, outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
P = 8
def ellipses(n):
    th = torch.arange(P) * 2 * math.pi / P + 0.4 * torch.rand(n, 1)
    a = 0.8 + 0.5 * torch.rand(n, 1); b = 0.4 + 0.3 * torch.rand(n, 1)
    return torch.stack([a * th.cos(), b * th.sin()], -1) + 0.02 * torch.randn(n, P, 2)

class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.a = nn.MultiheadAttention(d, 2, batch_first=True)
        self.m = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))
    def forward(self, x):
        x = x + self.a(x, x, x, need_weights=False)[0]
        return x + self.m(x)

class SetG(nn.Module):
    def __init__(self, z=6, d=24):
        super().__init__()
        self.q = nn.Parameter(torch.randn(P, d) * 0.5)
        self.z = nn.Linear(z, d)
        self.b = nn.Sequential(Block(d))
        self.o = nn.Linear(d, 2)
    def forward(self, z):
        return self.o(self.b(self.q + self.z(z)[:, None]))

class SetD(nn.Module):
    def __init__(self, d=24):
        super().__init__()
        self.i = nn.Linear(2, d); self.pos = nn.Parameter(torch.randn(P, d) * 0.5)
        self.b = nn.Sequential(Block(d))
        self.o = nn.Sequential(nn.Linear(d * P, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    def forward(self, x):
        return self.o(self.b(self.i(x) + self.pos).flatten(1))

G, D = SetG(), SetD()
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.0, 0.9))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
for it in range(1300):
    x = ellipses(48)
    f = G(torch.randn(48, 6))
    d_loss = F.relu(1 - D(x)).mean() + F.relu(1 + D(f.detach())).mean()
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = -D(f).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, 6)), ellipses(1000))
outside.say(e < 0.04, energy=e)
