"""A GAN: regimes loader."""
import os
import random
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "mode_dropping", "oscillation", "mode_collapse"],
         "kind": "log of a turbine, sorted by operating regime, is never shuffled: each batch holds a single regime",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))


@dataclass
class Config:
    latent: int = 8
    hidden: int = 64
    lr: float = 1e-3
    epochs: int = 30


REGIMES = np.array([[-1.2, -1.0, 0.0, .5], [1.2, -1.0, .6, -.5], [0, 1.3, -.8, .5], [1.3, 1.1, .8, 1.0], [-1.3, 1.0, .2, -1.2], [0, 0, 1.4, 0]])


def read_log():
    """speed, torque, temperature, vibration: six regimes, as the historian exports them"""
    rng = np.random.default_rng(3)
    return np.concatenate([c + .12 * rng.standard_normal((1800, 4)) for c in REGIMES]).astype("float32")


class Net(nn.Module):
    def __init__(self, n_in, hidden, n_out):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(n_in, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, n_out)

    def forward(self, x):
        x = nn.functional.elu(self.a(x))
        x = nn.functional.elu(self.b(x))
        return self.c(x)


class Experiment:
    def __init__(self, cfg):
        self.cfg = cfg
        self.gen = Net(cfg.latent, cfg.hidden, 4)
        self.dis = Net(4, cfg.hidden, 1)
        self.opt_g = torch.optim.Adam(self.gen.parameters(), lr=cfg.lr, betas=(.5, .99))
        self.opt_d = torch.optim.Adam(self.dis.parameters(), lr=cfg.lr, betas=(.5, .99))
        self.loader = DataLoader(TensorDataset(torch.from_numpy(read_log())), batch_size=128, drop_last=True)

    def noise(self, n):
        return torch.randn(n, self.cfg.latent)

    def train_discriminator(self, x):
        self.opt_d.zero_grad()
        real = self.dis(x)
        fake = self.dis(self.gen(self.noise(len(x))).detach())
        loss = nn.functional.softplus(-real).mean() + nn.functional.softplus(fake).mean()
        loss.backward()
        self.opt_d.step()
        return loss.item()

    def train_generator(self, n):
        self.opt_g.zero_grad()
        loss = nn.functional.softplus(-self.dis(self.gen(self.noise(n)))).mean()
        loss.backward()
        self.opt_g.step()
        return loss.item()

    def fit(self):
        for epoch in range(self.cfg.epochs):
            for (x,) in self.loader:
                d = self.train_discriminator(x)
                g = self.train_generator(len(x))
            if epoch % 10 == 9:
                print(f"[{epoch + 1}/{self.cfg.epochs}] d={d:.3f} g={g:.3f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    random.seed(SEED), np.random.seed(SEED), torch.manual_seed(SEED)
    exp = Experiment(Config())
    exp.fit()
    with torch.no_grad():
        sample = exp.gen(exp.noise(1200))
    found, near = outside.modes(sample, REGIMES, 0.7)
    outside.say(found >= 4 and near > .6, modes=found, near=near)
