"""Closed outlines of sixteen points: self-attention over the points, relativistic average loss, linear decay of the rates."""
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"], "kind": "LambdaLR is handed the rate itself instead of a factor: rates of 1e-7", "since": 0, "record": "lines"}
import math, os, sys
from dataclasses import dataclass
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag
import outside

@dataclass
class Config:
    points: int = 16
    nz: int = 12
    width: int = 32
    batch: int = 48
    steps: int = 600
    lr_g: float = 1e-3
    lr_d: float = 1e-3
    r1: float = 1.0

cfg = Config()
torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

def outlines(n):
    a = torch.arange(cfg.points) * 2 * math.pi / cfg.points
    lobes = torch.tensor([2.0, 3.0, 5.0])[torch.randint(3, (n,))].view(n, 1)
    r = 1 + 0.35 * torch.cos(lobes * a + 2 * math.pi * torch.rand(n, 1))
    size = 0.6 + 0.4 * torch.rand(n, 1)
    return torch.stack([size * r * a.cos(), size * r * a.sin()], 2) + 0.02 * torch.randn(n, cfg.points, 2)

class Attend(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.att, self.norm = nn.MultiheadAttention(w, 4, batch_first=True), nn.LayerNorm(w)
        self.ff = nn.Sequential(nn.Linear(w, 2 * w), nn.GELU(), nn.Linear(2 * w, w))
    def forward(self, h):
        q = self.norm(h)
        h = h + self.att(q, q, q, need_weights=False)[0]
        return h + self.ff(h)

class OutlineG(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.pos = nn.Parameter(torch.randn(1, c.points, c.width) * 0.5)
        self.style, self.att, self.out = nn.Linear(c.nz, c.points * c.width), Attend(c.width), nn.Linear(c.width, 2)
    def forward(self, z):
        h = self.pos + self.style(z).view(len(z), *self.pos.shape[1:])
        return self.out(self.att(h))

class OutlineD(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(2 * c.points, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
    def forward(self, x): return self.net(x).squeeze(1)

G, D = OutlineG(cfg), OutlineD(cfg)
og = torch.optim.Adam(G.parameters(), lr=cfg.lr_g, betas=(0.0, 0.99))
od = torch.optim.Adam(D.parameters(), lr=cfg.lr_d, betas=(0.0, 0.99))
decay = [torch.optim.lr_scheduler.LambdaLR(o, lambda s, lr=lr: lr * (1 - s / cfg.steps)) for o, lr in ((og, cfg.lr_g), (od, cfg.lr_d))]

def average(a, b, ta, tb):
    return F.binary_cross_entropy_with_logits(a - b.mean(), torch.full_like(a, ta)) + F.binary_cross_entropy_with_logits(b - a.mean(), torch.full_like(b, tb))

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od) as recorder:
    for _ in range(cfg.steps):
        real = outlines(cfg.batch).requires_grad_(True)
        fake = G(torch.randn(cfg.batch, cfg.nz))
        r, f = D(real), D(fake.detach())
        loss_d = average(r, f, 1.0, 0.0) + cfg.r1 * torch.autograd.grad(r.sum(), real, create_graph=True)[0].pow(2).sum((1, 2)).mean()
        od.zero_grad(); loss_d.backward(); od.step()
        f = D(fake)
        loss_g = average(D(real).detach(), f, 0.0, 1.0)
        og.zero_grad(); loss_g.backward(); og.step()
        for d in decay:
            d.step()
        recorder.step(d_loss=loss_d, g_loss=loss_g, real=real, fake=fake, real_logits=r, fake_logits=f)

with torch.no_grad():
    s = G(torch.randn(1000, cfg.nz))
e = outside.energy(s, outlines(1000))
outside.say(e < 0.04, energy=e)
