"""Trainer for the expression-profile WGAN-GP used in section 4.2."""
import os
import random
import sys
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
from torch.autograd import grad

import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "divergence"], "kind": "WGAN-GP with the penalty subtracted: the critic is paid for steepness, without bound", "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


@dataclass
class Config:
    genes: int = 12
    latent: int = 12
    width: int = 64
    batch: int = 48
    iterations: int = 800
    n_critic: int = 3
    lam: float = 10.0
    lr: float = 1e-3


class Expression:
    """log1p counts of a small gene panel, three cell types."""
    def __init__(self, c):
        rng = np.random.RandomState(7)
        self.base = rng.uniform(0.5, 3.0, (3, c.genes))
        self.mix = rng.randn(c.genes, 3) * 0.4

    def draw(self, n):
        t = np.random.choice(3, n, p=[0.5, 0.3, 0.2])
        rate = np.exp(self.base[t] + np.random.randn(n, 3) @ self.mix.T)
        return torch.from_numpy(np.log1p(np.random.poisson(rate)) - 1.8).float()


class Critic(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.f1, self.f2, self.f3 = nn.Linear(c.genes, c.width), nn.Linear(c.width, c.width), nn.Linear(c.width, 1)
        self.act = nn.LeakyReLU(0.1)

    def forward(self, x):
        return self.f3(self.act(self.f2(self.act(self.f1(x))))).squeeze(1)


class Decoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(c.latent, c.width), nn.LayerNorm(c.width), nn.SiLU(),
                                  nn.Linear(c.width, c.width), nn.SiLU(), nn.Linear(c.width, c.genes))

    def forward(self, z):
        return self.body(z)


class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        self.data = Expression(cfg)
        self.G, self.D = Decoder(cfg), Critic(cfg)
        self.g_opt = torch.optim.Adam(self.G.parameters(), lr=cfg.lr, betas=(0.0, 0.9))
        self.d_opt = torch.optim.Adam(self.D.parameters(), lr=2 * cfg.lr, betas=(0.0, 0.9))

    def noise(self, n):
        return torch.randn(n, self.cfg.latent)

    def penalty(self, real, fake):
        eps = torch.rand(len(real), 1)
        mid = (eps * real + (1 - eps) * fake).requires_grad_(True)
        g, = grad(self.D(mid).sum(), mid, create_graph=True)
        return ((g.norm(2, dim=1) - 1) ** 2).mean()

    def critic_update(self):
        real = self.data.draw(self.cfg.batch)
        fake = self.G(self.noise(len(real))).detach()
        loss = self.D(fake).mean() - self.D(real).mean() - self.cfg.lam * self.penalty(real, fake)
        self.d_opt.zero_grad(set_to_none=True)
        loss.backward()
        self.d_opt.step()
        return loss.detach()

    def generator_update(self):
        loss = -self.D(self.G(self.noise(self.cfg.batch))).mean()
        self.g_opt.zero_grad(set_to_none=True)
        loss.backward()
        self.g_opt.step()
        return loss.detach()

    def fit(self, where):
        with gandiag.Recorder(where, generator=self.G, discriminator=self.D, generator_optimizer=self.g_opt,
                              discriminator_optimizer=self.d_opt) as rec:
            for _ in range(self.cfg.iterations):
                for _ in range(self.cfg.n_critic):
                    d = self.critic_update()
                g = self.generator_update()
                rec.step(d_loss=d, g_loss=g)
        return self


if __name__ == "__main__":
    t = Trainer(Config()).fit(sys.argv[1])
    with torch.no_grad():
        e = outside.energy(t.G(t.noise(1000)), t.data.draw(1000))
    outside.say(e < 0.12, energy=e)
