"""Trainer class for small grey images, with learning-rate decay, applied to sklearn digits."""
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"], "kind": "exponential decay meant for each epoch is stepped at each batch, so learning stops after some hundred steps", "since": None, "record": "attach"}
import os
import random
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim.lr_scheduler import ExponentialLR
from torch.utils.data import DataLoader, TensorDataset

import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@dataclass
class TrainConfig:
    z_dim: int = 20
    hidden: int = 128
    batch_size: int = 50
    epochs: int = 90
    lr_g: float = 8e-4
    lr_d: float = 8e-4
    lr_gamma: float = 0.98


class Trainer:
    def __init__(self, cfg, dataset):
        self.cfg = cfg
        self.loader = DataLoader(dataset, cfg.batch_size, shuffle=True, drop_last=True)
        h = cfg.hidden
        self.generator = nn.Sequential(
            nn.Linear(cfg.z_dim, h), nn.LayerNorm(h), nn.SiLU(),
            nn.Linear(h, h), nn.LayerNorm(h), nn.SiLU(),
            nn.Linear(h, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
        self.discriminator = nn.Sequential(
            nn.Flatten(), nn.Linear(64, h), nn.LeakyReLU(0.2), nn.Dropout(0.25),
            nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Dropout(0.25), nn.Linear(h, 1))
        self.optim_g = torch.optim.Adam(self.generator.parameters(), cfg.lr_g, (0.5, 0.999))
        self.optim_d = torch.optim.Adam(self.discriminator.parameters(), cfg.lr_d, (0.5, 0.999))
        self.sched_g = ExponentialLR(self.optim_g, cfg.lr_gamma)
        self.sched_d = ExponentialLR(self.optim_d, cfg.lr_gamma)

    def noise(self, n):
        return torch.randn(n, self.cfg.z_dim)

    def train_d(self, real):
        self.optim_d.zero_grad(set_to_none=True)
        with torch.no_grad():
            fake = self.generator(self.noise(len(real)))
        loss = F.softplus(-self.discriminator(real)).mean() + F.softplus(self.discriminator(fake)).mean()
        loss.backward()
        self.optim_d.step()
        return loss.item()

    def train_g(self, n):
        self.optim_g.zero_grad(set_to_none=True)
        loss = F.softplus(-self.discriminator(self.generator(self.noise(n)))).mean()
        loss.backward()
        self.optim_g.step()
        return loss.item()

    def fit(self):
        for epoch in range(self.cfg.epochs):
            for (real,) in self.loader:
                d = self.train_d(real)
                g = self.train_g(len(real))
                self.sched_g.step()
                self.sched_d.step()
            if epoch % 15 == 0:
                print(f"epoch {epoch:3d}  loss_d {d:.3f}  loss_g {g:.3f}")
        return self

    @torch.no_grad()
    def sample(self, n):
        self.generator.eval()
        return self.generator(self.noise(n))


if __name__ == "__main__":
    seed_everything(SEED)
    x, _ = outside.digits()
    trainer = Trainer(TrainConfig(), TensorDataset(x[:1400])).fit()
    s = trainer.sample(1000)
    classes, quality, _ = outside.digit_quality(s)
    e = outside.energy(s, x[1400:])
    outside.say(classes >= 8 and quality < 1.6 and e < 0.06, classes=classes, quality=quality, energy=e)
