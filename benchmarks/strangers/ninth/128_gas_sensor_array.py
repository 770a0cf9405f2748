"""Augmenting electronic-nose data: eight gases, six metal-oxide sensors. Trainer class from our lab template."""
from dataclasses import dataclass
import os
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import outside

LABEL = {"sick": True, "causes": ["learning_rate", "mode_collapse", "divergence", "oscillation"],
         "kind": "Adam with a learning rate fifty times too high (0.05 for both nets)", "since": 0, "record": "attach"}


@dataclass
class TrainConfig:
    z_dim: int = 8
    hidden: int = 80
    lr: float = 5e-2
    beta1: float = 0.5
    batch: int = 128
    steps: int = 3000
    seed: int = int(os.environ.get("SEED", "0"))


class Generator(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(c.z_dim, c.hidden), nn.Linear(c.hidden, c.hidden), nn.Linear(c.hidden, 6)

    def forward(self, z):
        return self.l3(F.silu(self.l2(F.silu(self.l1(z)))))


class Discriminator(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.l1, self.l2, self.out = nn.Linear(6, c.hidden), nn.Linear(c.hidden, c.hidden), nn.Linear(c.hidden, 1)

    def forward(self, x):
        h = F.silu(self.l1(x))
        return self.out(F.silu(self.l2(h)))


class Trainer:
    def __init__(self, cfg, centres):
        self.cfg, self.centres = cfg, centres
        self.G, self.D = Generator(cfg), Discriminator(cfg)
        self.opts = {k: torch.optim.Adam(m.parameters(), lr=cfg.lr, betas=(cfg.beta1, 0.999))
                     for k, m in (("g", self.G), ("d", self.D))}

    def real_batch(self):
        k = torch.randint(len(self.centres), (self.cfg.batch,))
        return self.centres[k] + 0.25 * torch.randn(self.cfg.batch, 6)

    def noise(self, n):
        return torch.randn(n, self.cfg.z_dim)

    def _d_step(self):
        self.opts["d"].zero_grad()
        with torch.no_grad():
            fake = self.G(self.noise(self.cfg.batch))
        loss = F.softplus(-self.D(self.real_batch())).mean() + F.softplus(self.D(fake)).mean()
        loss.backward()
        self.opts["d"].step()
        return loss.item()

    def _g_step(self):
        self.opts["g"].zero_grad()
        loss = F.softplus(-self.D(self.G(self.noise(self.cfg.batch)))).mean()
        loss.backward()
        self.opts["g"].step()
        return loss.item()

    def run(self):
        for t in range(self.cfg.steps):
            d, g = self._d_step(), self._g_step()
            if t % 1000 == 0:
                print(f"step {t:5d} | D {d:.3f} | G {g:.3f}")
        return self


def gas_signatures():
    rng = np.random.default_rng(5)
    return torch.tensor(rng.normal(0, 0.7, (8, 6)), dtype=torch.float32)


if __name__ == "__main__":
    cfg = TrainConfig()
    random.seed(cfg.seed), np.random.seed(cfg.seed), torch.manual_seed(cfg.seed)
    torch.set_num_threads(1)
    trainer = Trainer(cfg, gas_signatures()).run()
    with torch.no_grad():
        x = trainer.G(trainer.noise(1000))
    trainer.cfg.batch = 1000
    e = outside.energy(x, trainer.real_batch())
    outside.say(e < 0.1, energy=e)
