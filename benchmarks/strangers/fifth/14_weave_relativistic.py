"""Woven textures 12 x 12, relativistic average GAN."""
LABEL = {"sick": False, "causes": [], "kind": "healthy relativistic average GAN", "since": None, "record": "lines"}
import os
import sys
import math
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce
import gandiag
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

SIDE = 12


def weave(n):
    """Two crossed waves, with random periods and phases."""
    t = torch.arange(SIDE).float()
    def wave():
        period = 10 + 4 * torch.rand(n, 1)
        return torch.sin(2 * math.pi * (t / period + torch.rand(n, 1)))
    a, b = wave(), wave()
    return torch.tanh(0.8 * (a[:, :, None] + b[:, None, :]))


class Loom(nn.Module):
    """Two threads from the noise, crossed by the outer sum, finished by convolutions."""

    def __init__(self, z=12):
        super().__init__()
        self.z = z
        self.threads = nn.Sequential(nn.Linear(z, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 2 * 4 * SIDE))
        self.finish = nn.Sequential(nn.Conv2d(4, 12, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(12, 1, 3, padding=1), nn.Tanh())

    def forward(self, z):
        w = self.threads(z).view(-1, 2, 4, SIDE)
        return self.finish(w[:, 0, :, :, None] + w[:, 1, :, None, :])[:, 0]


class Inspector(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(288, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, x):
        return self.net(x[:, None])


loom, inspector = Loom(), Inspector()
opt_l = torch.optim.AdamW(loom.parameters(), lr=1e-3, betas=(0.0, 0.99), weight_decay=1e-4)
opt_i = torch.optim.AdamW(inspector.parameters(), lr=1e-3, betas=(0.0, 0.99), weight_decay=1e-4)
one, zero = torch.ones(32, 1), torch.zeros(32, 1)

with gandiag.Recorder(sys.argv[1], generator=loom, discriminator=inspector, generator_optimizer=opt_l, discriminator_optimizer=opt_i) as recorder:
    for step in range(800):
        cloth = weave(32).requires_grad_()
        fake = loom(torch.randn(32, loom.z))
        r, f = inspector(cloth), inspector(fake.detach())
        d_loss = (bce(r - f.mean(), one) + bce(f - r.mean(), zero)) / 2
        slope = torch.autograd.grad(r.sum(), cloth, create_graph=True)[0]
        penalty = 0.05 * slope.square().sum((1, 2)).mean()
        opt_i.zero_grad()
        (d_loss + penalty).backward()
        opt_i.step()
        r2, f2 = inspector(cloth).detach(), inspector(fake)
        g_loss = (bce(f2 - r2.mean(), one) + bce(r2 - f2.mean(), zero)) / 2
        opt_l.zero_grad()
        g_loss.backward()
        opt_l.step()
        recorder.step(d_loss=d_loss, g_loss=g_loss, real_logits=r, fake_logits=f, fake=fake, real=cloth, d_penalty=penalty)

with torch.no_grad():
    s = loom(torch.randn(1000, loom.z))
e = outside.energy(s, weave(1000))
outside.say(e < 0.03, energy=e)
