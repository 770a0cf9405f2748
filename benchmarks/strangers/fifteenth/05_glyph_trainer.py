"""Little glyph strokes (8x8): a trainer class with hinge loss and per-step learning-rate schedule."""
LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "oscillation", "mode_collapse"], "kind": "the schedule multiplies by 1.002 a step where a decay (0.999) was meant: the learning rate creeps up 2000-fold", "since": None, "record": "lines"}

import os
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))


class Strokes:
    """One straight pen stroke through the middle region: direction and offset vary."""

    def __init__(self, rng):
        self.rng = rng
        k = np.arange(8) - 3.5
        self.y, self.x = np.meshgrid(k, k, indexing="ij")

    def draw(self, n):
        a = self.rng.uniform(0, np.pi, (n, 1, 1))
        o = self.rng.normal(0, 1.0, (n, 1, 1))
        d = self.x * np.cos(a) + self.y * np.sin(a) - o
        img = 2 * np.exp(-d ** 2 / 1.5) - 1
        return torch.tensor(img, dtype=torch.float32).flatten(1)


def mlp(sizes, act, last=None):
    mods = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        mods.append(nn.Linear(a, b))
        if i < len(sizes) - 2:
            mods.append(act())
    if last is not None:
        mods.append(last())
    return nn.Sequential(*mods)


class GANTrainer:
    def __init__(self, data, nz=10, lr=1e-3, gamma=1.002, batch=64):
        self.data, self.nz, self.batch = data, nz, batch
        self.G = mlp([nz, 128, 128, 64], nn.ReLU, nn.Tanh)
        self.D = mlp([64, 128, 128, 1], lambda: nn.LeakyReLU(0.2))
        self.opt_g = torch.optim.Adam(self.G.parameters(), lr=lr, betas=(0.5, 0.9))
        self.opt_d = torch.optim.Adam(self.D.parameters(), lr=lr, betas=(0.5, 0.9))
        self.schedules = [torch.optim.lr_scheduler.ExponentialLR(o, gamma=gamma) for o in (self.opt_g, self.opt_d)]
        self.recorder = Recorder(sys.argv[1], generator=self.G, discriminator=self.D,
                                 generator_optimizer=self.opt_g, discriminator_optimizer=self.opt_d)

    def noise(self, n):
        return torch.randn(n, self.nz)

    def discriminator_step(self, real):
        fake = self.G(self.noise(self.batch)).detach()
        real = real.requires_grad_(True)
        sr, sf = self.D(real), self.D(fake)
        slope, = torch.autograd.grad(sr.sum(), real, create_graph=True)
        loss = F.relu(1 - sr).mean() + F.relu(1 + sf).mean() + 1.0 * slope.square().sum(1).mean()
        self.opt_d.zero_grad()
        loss.backward()
        self.opt_d.step()
        return loss, sr, sf

    def generator_step(self):
        fake = self.G(self.noise(self.batch))
        loss = -self.D(fake).mean()
        self.opt_g.zero_grad()
        loss.backward()
        self.opt_g.step()
        return loss, fake

    def fit(self, steps):
        for step in range(steps):
            real = self.data[torch.randint(len(self.data), (self.batch,))]
            d_loss, sr, sf = self.discriminator_step(real)
            g_loss, fake = self.generator_step()
            for s in self.schedules:
                s.step()
            if step % 500 == 0:
                print(f"{step}: d={d_loss.item():.3f} g={g_loss.item():.3f}")
            self.recorder.step(real_logits=sr, fake_logits=sf, d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)
        self.recorder.close()

    @torch.no_grad()
    def sample(self, n):
        return self.G(self.noise(n))


if __name__ == "__main__":
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    strokes = Strokes(np.random.default_rng(SEED))
    trainer = GANTrainer(strokes.draw(8000))
    trainer.fit(3800)
    e = outside.energy(trainer.sample(1000), strokes.draw(1000))
    outside.say(e < 0.05, energy=e)
