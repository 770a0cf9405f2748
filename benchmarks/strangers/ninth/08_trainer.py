"""Trainer."""
import os
import random
import sys
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_dominance"],
         "kind": "generator step uses the 'fake' target: G is rewarded for being recognised and helps D",
         "since": 0, "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))


@dataclass
class Config:
    latent: int = 20
    batch: int = 50
    epochs: int = 16
    lr: float = 1e-3
    out: str = ""


class ConvG(nn.Module):
    def __init__(self, latent):
        super().__init__()
        self.fc = nn.Linear(latent, 24 * 4 * 4)
        self.norm = nn.GroupNorm(4, 24)
        self.deconv = nn.ConvTranspose2d(24, 16, 4, stride=2, padding=1)
        self.head = nn.Conv2d(16, 1, 3, padding=1)

    def forward(self, z):
        h = torch.relu(self.norm(self.fc(z).view(-1, 24, 4, 4)))
        return torch.tanh(self.head(torch.relu(self.deconv(h))))


class ConvD(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 3, stride=1, padding=1)
        self.conv2 = nn.Conv2d(20, 32, 4, stride=2, padding=1)
        self.fc1 = nn.Linear(32 * 16, 48)
        self.fc2 = nn.Linear(48, 1)

    def forward(self, x):
        h = nn.functional.leaky_relu(self.conv1(x), 0.2)
        h = nn.functional.leaky_relu(self.conv2(h), 0.2)
        h = nn.functional.leaky_relu(self.fc1(h.flatten(1)), 0.2)
        return torch.sigmoid(self.fc2(h)).squeeze(1)


class GANTrainer:
    def __init__(self, cfg):
        self.cfg = cfg
        x, _ = outside.digits()
        self.data = x
        self.loader = DataLoader(TensorDataset(x), batch_size=cfg.batch, shuffle=True, drop_last=True)
        self.G = ConvG(cfg.latent)
        self.D = ConvD()
        self.optG = torch.optim.Adam(self.G.parameters(), cfg.lr, betas=(0.5, 0.999))
        self.optD = torch.optim.Adam(self.D.parameters(), cfg.lr * 0.5, betas=(0.5, 0.999))
        self.criterion = nn.BCELoss()
        self.rec = gandiag.Recorder(cfg.out, generator=self.G, discriminator=self.D,
                                    generator_optimizer=self.optG, discriminator_optimizer=self.optD,
                                    discriminator_output="probability")

    def noise(self, n=None):
        return torch.randn(n or self.cfg.batch, self.cfg.latent)

    def train_d(self, real):
        target = torch.ones(len(real))
        self.optD.zero_grad()
        loss_real = self.criterion(self.D(real), target)
        loss_real.backward()
        with torch.no_grad():
            fake = self.G(self.noise())
        target.fill_(0.0)
        loss_fake = self.criterion(self.D(fake), target)
        loss_fake.backward()
        self.optD.step()
        return loss_real + loss_fake, target

    def train_g(self, target):
        self.optG.zero_grad()
        loss = self.criterion(self.D(self.G(self.noise())), target)
        loss.backward()
        self.optG.step()
        return loss

    def fit(self):
        for epoch in range(self.cfg.epochs):
            for (real,) in self.loader:
                d_loss, target = self.train_d(real)
                g_loss = self.train_g(target)
                self.rec.step(d_loss=d_loss.detach(), g_loss=g_loss.detach())
        print("epoch", epoch, float(d_loss), float(g_loss))
        self.rec.close()

    @torch.no_grad()
    def evaluate(self):
        fake = self.G(self.noise(1000))
        e = outside.energy(fake, self.data[torch.randperm(len(self.data))])
        classes, near, _ = outside.digit_quality(fake)
        outside.say(e < 0.15, energy=e, classes=classes, near=near)


if __name__ == "__main__":
    random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
    torch.set_num_threads(1)
    trainer = GANTrainer(Config(out=sys.argv[1]))
    trainer.fit()
    trainer.evaluate()
