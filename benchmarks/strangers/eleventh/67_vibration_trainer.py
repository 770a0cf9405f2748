"""Bearing vibration snippets (32 samples) with a Trainer class, exponential learning-rate decay for both networks."""
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"], "kind": "the per-epoch decay scheduler is stepped on every batch, the rate is nil after some hundred steps", "since": None, "record": "attach"}
import os
import random

import numpy as np
import torch
import torch.nn as nn
from torch.optim.lr_scheduler import ExponentialLR

import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


class Snippets(torch.utils.data.Dataset):
    def __init__(self, n=2000):
        t = torch.linspace(0, 1, 32)
        f = 2 + torch.rand(n, 1)
        ph = torch.rand(n, 1) * 1.5
        am = 0.5 + 0.4 * torch.rand(n, 1)
        self.x = am * torch.sin(2 * np.pi * f * t + ph) * torch.exp(-1.5 * t) + 0.02 * torch.randn(n, 32)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i]


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(12, 32 * 8)
        self.body = nn.Sequential(
            nn.BatchNorm1d(32), nn.ReLU(), nn.ConvTranspose1d(32, 32, 4, 2, 1),
            nn.BatchNorm1d(32), nn.ReLU(), nn.ConvTranspose1d(32, 16, 4, 2, 1),
            nn.ReLU(), nn.Conv1d(16, 1, 5, 1, 2), nn.Tanh())

    def forward(self, z):
        return self.body(self.fc(z).view(-1, 32, 8)).squeeze(1)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(1, 16, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(16, 32, 5, 2, 2), nn.LeakyReLU(0.2),
            nn.Flatten(), nn.Linear(256, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))

    def forward(self, x):
        return self.body(x.unsqueeze(1))


class Trainer:
    def __init__(self, lr=1e-3, gamma=0.97, epochs=40):
        self.G, self.D = Generator(), Discriminator()
        self.og = torch.optim.Adam(self.G.parameters(), lr, betas=(0.5, 0.999))
        self.od = torch.optim.Adam(self.D.parameters(), lr, betas=(0.5, 0.999))
        self.sched = [ExponentialLR(self.og, gamma), ExponentialLR(self.od, gamma)]
        self.loss = nn.BCEWithLogitsLoss()
        self.epochs = epochs
        self.loader = torch.utils.data.DataLoader(Snippets(), batch_size=64, shuffle=True, drop_last=True)

    def train_step(self, x):
        n = x.size(0)
        fake = self.G(torch.randn(n, 12))
        self.od.zero_grad()
        ld = self.loss(self.D(x), torch.ones(n, 1)) + self.loss(self.D(fake.detach()), torch.zeros(n, 1))
        ld.backward()
        self.od.step()
        self.og.zero_grad()
        lg = self.loss(self.D(fake), torch.ones(n, 1))
        lg.backward()
        self.og.step()
        return ld.item(), lg.item()

    def fit(self):
        for ep in range(self.epochs):
            for x in self.loader:
                out = self.train_step(x)
                for s in self.sched:
                    s.step()
            print(ep, *["%.3f" % v for v in out])


t = Trainer()
t.fit()
t.G.train()
with torch.no_grad():
    e = outside.energy(t.G(torch.randn(1000, 12)), Snippets(1000).x)
outside.say(e < 0.05, energy=e)
