"""Tiny StyleGAN-flavoured run: non-saturating loss, R1, EMA generator, on 8x8 pictures of one soft blob."""
LABEL = {"sick": False, "causes": [], "kind": "R1 every step, EMA generator judged, D loss near ln 4 and flat", "since": None, "record": "attach"}
import os, random, copy
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

yy, xx = torch.meshgrid(torch.arange(8.), torch.arange(8.), indexing="ij")
def blobs(n):
    cx, cy = 1.5 + 4 * torch.rand(n, 1, 1), 1.5 + 4 * torch.rand(n, 1, 1)
    s = 0.9 + 0.6 * torch.rand(n, 1, 1)
    return (2 * torch.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / (2 * s ** 2)) - 1)[:, None]

class Mapping(nn.Module):
    def __init__(self, z, w):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(z, w), nn.LeakyReLU(0.2), nn.Linear(w, w), nn.LeakyReLU(0.2))
    def forward(self, z):
        return self.net(z / (z.pow(2).mean(1, keepdim=True) + 1e-8).sqrt())

class Gen(nn.Module):
    def __init__(self, z=8, w=64, c=24):
        super().__init__()
        self.c = c
        self.map = Mapping(z, w)
        self.fc = nn.Linear(w, c * 16)
        self.conv = nn.Conv2d(c, c, 3, padding=1)
        self.out = nn.Conv2d(c, 1, 3, padding=1)
    def forward(self, z):
        h = F.leaky_relu(self.fc(self.map(z)), 0.2).view(-1, self.c, 4, 4)
        h = F.interpolate(h, scale_factor=2, mode="bilinear", align_corners=False)
        return self.out(F.leaky_relu(self.conv(h), 0.2))

D = nn.Sequential(nn.Conv2d(1, 24, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 3, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(192, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
G = Gen()
G_ema = copy.deepcopy(G).requires_grad_(False)
opt_G = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.0, 0.99))
opt_D = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.0, 0.99))
gamma, decay, B = 0.5, 0.995, 64

for it in range(1400):
    real = blobs(B).requires_grad_(True)
    fake = G(torch.randn(B, 8))
    pr, pf = D(real), D(fake.detach())
    r1 = torch.autograd.grad(pr.sum(), real, create_graph=True)[0].pow(2).flatten(1).sum(1).mean()
    loss_D = F.softplus(-pr).mean() + F.softplus(pf).mean() + 0.5 * gamma * r1
    opt_D.zero_grad(set_to_none=True); loss_D.backward(); opt_D.step()
    loss_G = F.softplus(-D(fake)).mean()
    opt_G.zero_grad(set_to_none=True); loss_G.backward(); opt_G.step()
    with torch.no_grad():
        for a, b in zip(G_ema.parameters(), G.parameters()):
            a.lerp_(b, 1 - decay)

with torch.no_grad():
    s = G_ema(torch.randn(1000, 8))
    real = blobs(4000)
e = outside.energy(s, real[:1000])
fit = float(torch.cdist(s.flatten(1), real.flatten(1)).min(1).values.mean())
base = float(torch.cdist(blobs(500).flatten(1), real.flatten(1)).min(1).values.mean())
outside.say(e < 0.03 and fit < 3 * base, energy=e, fit=fit, base=base)
