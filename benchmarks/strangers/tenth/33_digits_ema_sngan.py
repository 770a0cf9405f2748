"""SNGAN + EMA on digits, cosine schedule with restarts."""
LABEL = {"sick": False, "causes": [], "kind": "cosine rates with warm restarts make the loss curves saw-toothed; samples come from the EMA copy", "since": None, "record": "lines"}
import copy
import os
import random
import sys

import numpy as np
import torch
import torch.nn as nn
from torch.nn.utils.parametrizations import spectral_norm as SN

import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


class ResUp(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.bn = nn.BatchNorm2d(c)
        self.conv = nn.Conv2d(c, c, 3, 1, 1)
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, x):
        return self.up(x) + self.conv(torch.relu(self.up(self.bn(x))))


class Gen(nn.Module):
    def __init__(self, nz=24, c=24):
        super().__init__()
        self.nz, self.c = nz, c
        self.fc = nn.Linear(nz, c * 4)
        self.blocks = nn.Sequential(ResUp(c), ResUp(c))
        self.out = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, 1, 3, 1, 1), nn.Tanh())

    def forward(self, z):
        return self.out(self.blocks(self.fc(z).view(-1, self.c, 2, 2)))


class Dis(nn.Module):
    def __init__(self, c=32):
        super().__init__()
        self.f = nn.Sequential(SN(nn.Conv2d(1, c, 3, 1, 1)), nn.LeakyReLU(0.1), SN(nn.Conv2d(c, c, 4, 2, 1)), nn.LeakyReLU(0.1),
                               SN(nn.Conv2d(c, 2 * c, 4, 2, 1)), nn.LeakyReLU(0.1), nn.Flatten(), SN(nn.Linear(8 * c, 1)))

    def forward(self, x):
        return self.f(x)


@torch.no_grad()
def ema_update(avg, model, decay):
    for a, p in zip(avg.parameters(), model.parameters()):
        a.lerp_(p, 1 - decay)
    for a, p in zip(avg.buffers(), model.buffers()):
        a.copy_(p)


x, _ = outside.digits()
G, D = Gen(), Dis()
G_ema = copy.deepcopy(G)
g_opt = torch.optim.Adam(G.parameters(), 2e-3, (0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), 2e-3, (0.0, 0.9))
scheds = [torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 85, eta_min=2e-4) for o in (g_opt, d_opt)]
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for step in range(340):
    real = x[torch.randint(len(x), (48,))]
    fake = G(torch.randn(48, G.nz))
    lr_, lf_ = D(real), D(fake.detach())
    d_loss = torch.relu(1 - lr_).mean() + torch.relu(1 + lf_).mean()
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = -D(fake).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    ema_update(G_ema, G, 0.98)
    rec.step(d_loss=d_loss, g_loss=g_loss, real=real, fake=fake, real_logits=lr_, fake_logits=lf_)
    for s in scheds:
        s.step()
rec.close()

G_ema.eval()
with torch.no_grad():
    s = G_ema(torch.randn(600, G.nz))
classes, dist, _ = outside.digit_quality(s)
e = outside.energy(s, x)
outside.say(classes >= 9 and e < 0.06, classes=classes, distance=dist, energy=e)
