"""Residual GAN on small 'landscape' pictures (RGB sky / ground / sun), hinge loss."""
import os, random, sys
import numpy as np
import torch
from torch import nn
import gandiag, outside

LABEL = {"sick": True, "causes": ["stagnation", "learning_rate"],
         "kind": "StepLR(step_size=5 epochs, gamma=0.5) is stepped after each batch: both rates are gone after some fifty steps",
         "since": 50, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


def landscapes(n, s=16):
    y, x = np.mgrid[:s, :s][0][None], np.mgrid[:s, :s][1][None]
    rnd = lambda a, b: np.random.uniform(a, b, (n, 1, 1))
    hor = rnd(6, 12) + rnd(-0.25, 0.25) * (x - 8)
    ground = 1 / (1 + np.exp(-2 * (y - hor)))
    dusk = (np.random.rand(n, 1, 1) < 0.5).astype(float)
    sun = np.exp(-((y - rnd(2, 5)) ** 2 + (x - rnd(3, 13)) ** 2) / 5)
    sky = [0.3 + 0.6 * dusk, 0.5 - 0.2 * dusk + 0 * y, 0.95 - 0.6 * dusk]
    soil = [0.2 + 0.3 * dusk, 0.6 - 0.25 * dusk, 0.15 + 0 * dusk]
    im = np.stack([(1 - ground) * (a + sun * (c - a)) + ground * b for a, b, c in zip(sky, soil, (1.0, 0.95, 0.5))], 1)
    return torch.tensor(im * 2 - 1, dtype=torch.float32)


class Up(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(i), nn.BatchNorm2d(o)
        self.c1, self.c2, self.skip = nn.Conv2d(i, o, 3, 1, 1), nn.Conv2d(o, o, 3, 1, 1), nn.Conv2d(i, o, 1)
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, x):
        h = self.c1(self.up(torch.relu(self.bn1(x))))
        return self.c2(torch.relu(self.bn2(h))) + self.skip(self.up(x))


class Down(nn.Module):
    def __init__(self, i, o, first=False):
        super().__init__()
        self.c1, self.c2, self.skip = nn.Conv2d(i, o, 3, 1, 1), nn.Conv2d(o, o, 3, 1, 1), nn.Conv2d(i, o, 1)
        self.first = first

    def forward(self, x):
        h = x if self.first else torch.relu(x)
        h = self.c2(torch.relu(self.c1(h)))
        return nn.functional.avg_pool2d(h + self.skip(x), 2)


class ResG(nn.Module):
    def __init__(self, c=12, z=32):
        super().__init__()
        self.fc, self.c = nn.Linear(z, c * 16), c
        self.b1, self.b2 = Up(c, c), Up(c, c)
        self.out = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, 3, 3, 1, 1), nn.Tanh())

    def forward(self, z):
        return self.out(self.b2(self.b1(self.fc(z).view(-1, self.c, 4, 4))))


class ResD(nn.Module):
    def __init__(self, c=12):
        super().__init__()
        self.b = nn.Sequential(Down(3, c, True), Down(c, c))
        self.fc = nn.Linear(c, 1)

    def forward(self, x):
        return self.fc(torch.relu(self.b(x)).sum((2, 3)))


class Trainer:
    def __init__(self, data, epochs, bs=32):
        self.data, self.epochs, self.bs = data, epochs, bs
        self.G, self.D = ResG(), ResD()
        self.og = torch.optim.Adam(self.G.parameters(), 1e-3, betas=(0.0, 0.9))
        self.od = torch.optim.Adam(self.D.parameters(), 1e-3, betas=(0.0, 0.9))
        self.sg = torch.optim.lr_scheduler.StepLR(self.og, 5, 0.5)
        self.sd = torch.optim.lr_scheduler.StepLR(self.od, 5, 0.5)

    def z(self):
        return torch.randn(self.bs, 32)

    def step(self, x):
        d_loss = torch.relu(1 - self.D(x)).mean() + torch.relu(1 + self.D(self.G(self.z()).detach())).mean()
        self.od.zero_grad(); d_loss.backward(); self.od.step()
        g_loss = -self.D(self.G(self.z())).mean()
        self.og.zero_grad(); g_loss.backward(); self.og.step()
        return d_loss, g_loss

    def fit(self):
        for ep in range(self.epochs):
            for idx in torch.randperm(len(self.data)).split(self.bs):
                if len(idx) < self.bs:
                    continue
                self.step(self.data[idx])
                self.sg.step()
                self.sd.step()


t = Trainer(landscapes(1280), 10)
with gandiag.Recorder(sys.argv[1], generator=t.G, discriminator=t.D, generator_optimizer=t.og,
                      discriminator_optimizer=t.od, automatic=True):
    t.fit()
with torch.no_grad():
    e = outside.energy(t.G(torch.randn(1000, 32)), landscapes(1000))
outside.say(e < 0.08, energy=e)
