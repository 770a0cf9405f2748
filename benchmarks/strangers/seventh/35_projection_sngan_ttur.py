"""Class-conditional SNGAN with a projection discriminator, TTUR and cosine warm restarts."""
import os, random, sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils import spectral_norm
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "hinge loss with D's rate 4x G's and cosine warm restarts: the losses jump at each restart, D's loss stays near 2", "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


class CondNorm(nn.Module):
    def __init__(self, c, k):
        super().__init__()
        self.bn = nn.BatchNorm2d(c, affine=False)
        self.scale, self.shift = nn.Embedding(k, c), nn.Embedding(k, c)
        nn.init.ones_(self.scale.weight); nn.init.zeros_(self.shift.weight)

    def forward(self, x, y):
        return self.bn(x) * self.scale(y)[:, :, None, None] + self.shift(y)[:, :, None, None]


class G(nn.Module):
    def __init__(self, z=16, c=32, k=10):
        super().__init__()
        self.fc = nn.Linear(z, c * 4)
        self.emb = nn.Embedding(k, c * 4)
        self.conv1, self.conv2, self.rgb = nn.Conv2d(c, c, 3, 1, 1), nn.Conv2d(c, c, 3, 1, 1), nn.Conv2d(c, 1, 3, 1, 1)
        self.n1, self.n2 = CondNorm(c, k), CondNorm(c, k)
        self.c = c

    def forward(self, z, y):
        h = (self.fc(z) + self.emb(y)).view(-1, self.c, 2, 2)
        h = F.relu(self.n1(self.conv1(F.interpolate(h, scale_factor=2)), y))
        h = F.relu(self.n2(self.conv2(F.interpolate(h, scale_factor=2)), y))
        return torch.tanh(self.rgb(h))


class D(nn.Module):
    def __init__(self, c=32, k=10):
        super().__init__()
        sn = spectral_norm
        self.conv = nn.Sequential(sn(nn.Conv2d(1, c, 3, 1, 1)), nn.LeakyReLU(0.1), sn(nn.Conv2d(c, c, 4, 2, 1)), nn.LeakyReLU(0.1),
                                  sn(nn.Conv2d(c, c, 4, 2, 1)), nn.LeakyReLU(0.1), nn.Flatten())
        self.lin, self.emb = sn(nn.Linear(c * 4, 1)), sn(nn.Embedding(k, c * 4))

    def forward(self, x, y):
        h = self.conv(x)
        return self.lin(h).squeeze(1) + (self.emb(y) * h).sum(1)


x, y = outside.digits()
g, d = G(), D()
og = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0.0, 0.9))
od = torch.optim.Adam(d.parameters(), lr=4e-3, betas=(0.0, 0.9))
sched = [torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=105, eta_min=1e-4) for o in (og, od)]
rec = gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od, automatic=True)
for it in range(420):
    i = torch.randint(len(x), (64,))
    yf = torch.randint(10, (64,))
    fake = g(torch.randn(64, 16), yf)
    ld = F.relu(1 - d(x[i], y[i])).mean() + F.relu(1 + d(fake.detach(), yf)).mean()
    od.zero_grad(); ld.backward(); od.step()
    lg = -d(fake, yf).mean()
    og.zero_grad(); lg.backward(); og.step()
    for s in sched:
        s.step()
rec.close()

want = torch.arange(1000) % 10
with torch.no_grad():
    out = g(torch.randn(1000, 16), want)
classes, ratio, acc = outside.digit_quality(out, want)
e = outside.energy(out, x[torch.randperm(len(x))])
outside.say(acc > 0.7 and e < 0.15, energy=e, accuracy=acc, classes=classes, ratio=ratio)
