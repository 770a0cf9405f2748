"""Training code for the letter-stroke experiments (LSGAN objective)."""
import os
import random
import sys
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

import gandiag
import outside

LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"],
         "kind": "ExponentialLR(0.95) meant per epoch is stepped at every batch: the rates are gone after a hundred updates",
         "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))


def seed_everything(s):
    random.seed(s)
    np.random.seed(s)
    torch.manual_seed(s)
    torch.set_num_threads(1)


@dataclass
class Hyper:
    epochs: int = 28
    batch_size: int = 32
    lr: float = 1e-3
    gamma: float = 0.95
    latent: int = 12
    width: int = 10


def strokes(n, w, seed):
    """anti-aliased straight strokes, horizontal or vertical, one per picture"""
    rng = np.random.RandomState(seed)
    x = np.zeros((n, 1, w, w), "float32")
    grid = np.arange(w)
    for i in range(n):
        pos = rng.uniform(1.5, w - 2.5)
        prof = np.exp(-0.5 * ((grid - pos) / 0.8) ** 2)
        img = np.repeat(prof[None], w, 0)
        x[i, 0] = img if rng.rand() < 0.5 else img.T
    return torch.from_numpy(x * 1.8 - 0.9)


class Decoder(nn.Module):
    def __init__(self, latent, w):
        super().__init__()
        self.w = w
        self.net = nn.Sequential(
            nn.Linear(latent, 96), nn.BatchNorm1d(96), nn.ReLU(),
            nn.Linear(96, 128), nn.BatchNorm1d(128), nn.ReLU(),
            nn.Linear(128, w * w), nn.Tanh())

    def forward(self, z):
        return self.net(z).view(-1, 1, self.w, self.w)


class Judge(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Flatten())
        self.score = nn.Linear(32 * 9, 1)

    def forward(self, x):
        return self.score(self.features(x))[:, 0]


class Trainer:
    def __init__(self, hp):
        self.hp = hp
        self.G, self.D = Decoder(hp.latent, hp.width), Judge(hp.width)
        self.opt_g = optim.Adam(self.G.parameters(), lr=hp.lr, betas=(0.5, 0.999))
        self.opt_d = optim.Adam(self.D.parameters(), lr=hp.lr, betas=(0.5, 0.999))
        self.sched_g = optim.lr_scheduler.ExponentialLR(self.opt_g, gamma=hp.gamma)
        self.sched_d = optim.lr_scheduler.ExponentialLR(self.opt_d, gamma=hp.gamma)
        self.loader = DataLoader(TensorDataset(strokes(1600, hp.width, 1)), hp.batch_size, shuffle=True, drop_last=True)

    def noise(self, n):
        return torch.randn(n, self.hp.latent)

    def train_batch(self, real):
        fake = self.G(self.noise(len(real)))
        loss_d = 0.5 * ((self.D(real) - 1).pow(2).mean() + self.D(fake.detach()).pow(2).mean())
        self.opt_d.zero_grad()
        loss_d.backward()
        self.opt_d.step()

        loss_g = 0.5 * (self.D(fake) - 1).pow(2).mean()
        self.opt_g.zero_grad()
        loss_g.backward()
        self.opt_g.step()
        self.sched_g.step()
        self.sched_d.step()
        return loss_d.item(), loss_g.item()

    def fit(self):
        for epoch in range(1, self.hp.epochs + 1):
            for (real,) in self.loader:
                ld, lg = self.train_batch(real)
            if epoch % 4 == 0:
                print("epoch %d  D %.3f  G %.3f" % (epoch, ld, lg))


if __name__ == "__main__":
    seed_everything(SEED)
    trainer = Trainer(Hyper())
    rec = gandiag.Recorder(sys.argv[1], generator=trainer.G, discriminator=trainer.D, generator_optimizer=trainer.opt_g,
                           discriminator_optimizer=trainer.opt_d, automatic=True)
    trainer.fit()
    rec.close()
    trainer.G.eval()
    with torch.no_grad():
        x = trainer.G(trainer.noise(1000))
    e = outside.energy(x, strokes(1000, 10, 2))
    outside.say(e < 0.06, energy=e)
