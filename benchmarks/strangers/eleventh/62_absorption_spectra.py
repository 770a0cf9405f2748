"""WGAN-GP for infrared absorption spectra (48 channels, two lines on a sloping baseline); losses are reported in counts, so they are large numbers."""
LABEL = {"sick": False, "causes": [], "kind": "healthy WGAN-GP with a loss scaled by 1000", "since": None, "record": "lines"}
import os, sys, random
import numpy as np
import torch
from torch import nn
import gandiag
from outside import energy, say

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)
COUNTS = 1000.0
grid = torch.linspace(0, 1, 48)


def measure(n):
    c = 0.3 + 0.05 * torch.randn(n, 1)
    a = 0.6 + 0.3 * torch.rand(n, 1)
    base = 0.3 * torch.rand(n, 1) * grid
    s = base + a * torch.exp(-((grid - c) / 0.06) ** 2) + 0.5 * a * torch.exp(-((grid - c - 0.35) / 0.08) ** 2)
    return (s + 0.01 * torch.randn(n, 48)) * 2 - 0.5


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(1, 16, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(16, 32, 5, 2, 2), nn.LeakyReLU(0.2))
        self.out = nn.Sequential(nn.Linear(32 * 12, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, s):
        return self.out(self.conv(s[:, None]).flatten(1))


class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 48))

    def forward(self, z):
        return self.net(z)


G, D = Gen(), Critic()
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.0, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)


def penalty(a, b):
    t = torch.rand(len(a), 1)
    m = (t * a + (1 - t) * b).requires_grad_(True)
    g, = torch.autograd.grad(D(m).sum(), m, create_graph=True)
    return ((g.norm(dim=1) - 1) ** 2).mean()


for step in range(650):
    for _ in range(2):
        x = measure(64)
        with torch.no_grad():
            f = G(torch.randn(64, 8))
        d_loss = COUNTS * (D(f).mean() - D(x).mean() + 10 * penalty(x, f))
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = -COUNTS * D(G(torch.randn(64, 8))).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    e = energy(G(torch.randn(1000, 8)), measure(1000))
say(e < 0.03, energy=e)
