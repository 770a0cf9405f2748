"""Lissajous figure as a cloud of points, with a learning-rate decay as in the course notes."""
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"], "kind": "ExponentialLR(0.9), meant per epoch, is stepped at every batch: both rates are gone after a hundred steps", "since": 0, "record": "attach"}
import os, random
import numpy as np, torch, torch.nn as nn
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


def lissajous(n):
    t = 2 * np.pi * torch.rand(n)
    return torch.stack([torch.sin(2 * t + 0.5), torch.cos(3 * t)], 1) * 1.5 + 0.04 * torch.randn(n, 2)


class Trainer:
    epochs, per_epoch, bs = 50, 80, 160

    def __init__(self):
        self.g = nn.Sequential(nn.Linear(4, 112), nn.ReLU(), nn.Linear(112, 112), nn.ReLU(), nn.Linear(112, 2))
        self.d = nn.Sequential(nn.Linear(2, 112), nn.LeakyReLU(0.2), nn.Linear(112, 112), nn.LeakyReLU(0.2), nn.Linear(112, 1))
        self.og = torch.optim.Adam(self.g.parameters(), lr=2e-3, betas=(0.5, 0.9))
        self.od = torch.optim.Adam(self.d.parameters(), lr=2e-3, betas=(0.5, 0.9))
        self.sched = [torch.optim.lr_scheduler.ExponentialLR(o, 0.9) for o in (self.og, self.od)]
        self.bce = nn.BCEWithLogitsLoss()
        self.yes, self.no = torch.ones(self.bs, 1), torch.zeros(self.bs, 1)

    def d_step(self, x):
        self.od.zero_grad()
        l = self.bce(self.d(x), self.yes * 0.9) + self.bce(self.d(self.g(torch.randn(self.bs, 4)).detach()), self.no)
        l.backward()
        self.od.step()
        return l.item()

    def g_step(self):
        self.og.zero_grad()
        l = self.bce(self.d(self.g(torch.randn(self.bs, 4))), self.yes)
        l.backward()
        self.og.step()
        return l.item()

    def run(self):
        for ep in range(self.epochs):
            for _ in range(self.per_epoch):
                ld = self.d_step(lissajous(self.bs))
                lg = self.g_step()
                for s in self.sched: s.step()
            if ep % 5 == 0:
                print(ep, ld, lg)


tr = Trainer()
tr.run()
with torch.no_grad():
    e = outside.energy(tr.g(torch.randn(1000, 4)), lissajous(1000))
outside.say(e < 0.02, energy=e)
