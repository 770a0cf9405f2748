"""
Scenario generation for residential electricity demand.

Generates 24-hour load profiles (kW, scaled) with a small convolutional GAN; hinge loss, Adam with exponential decay.
"""
import os
import random
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim.lr_scheduler import ExponentialLR
from torch.utils.data import DataLoader

import gandiag
import outside

LABEL = {"sick": True, "causes": ["stagnation", "learning_rate"],
         "kind": "the per-epoch exponential decay of the learning rate is stepped once a batch: the rates are nil after some hundred steps",
         "since": 80, "record": "lines"}


def seed_all():
    s = int(os.environ.get("SEED", "0"))
    random.seed(s)
    np.random.seed(s)
    torch.manual_seed(s)
    torch.set_num_threads(1)


def profiles(n, seed):
    r = np.random.default_rng(seed)
    h = np.arange(24)
    bump = lambda c, w: np.exp(-0.5 * ((h - c) / w) ** 2)
    morning = r.gamma(5, .12, (n, 1)) * bump(r.normal(7.5, .7, (n, 1)), 1.3)
    evening = r.gamma(6, .2, (n, 1)) * bump(r.normal(19, 1., (n, 1)), 2.2)
    solar = -r.binomial(1, .4, (n, 1)) * r.uniform(.4, 1., (n, 1)) * bump(13, 2.5)
    return torch.tensor(.3 + morning + evening + solar + .04 * r.standard_normal((n, 24)), dtype=torch.float32).unsqueeze(1)


class ProfileGenerator(nn.Module):
    def __init__(self, z=16, c=32):
        super().__init__()
        self.z, self.c = z, c
        self.start = nn.Linear(z, c * 6)
        self.c1 = nn.Conv1d(c, c, 3, padding=1)
        self.c2 = nn.Conv1d(c, c // 2, 5, padding=2)
        self.out = nn.Conv1d(c // 2, 1, 3, padding=1)

    def forward(self, z):
        h = F.leaky_relu(self.start(z), 0.2).view(-1, self.c, 6)
        h = F.leaky_relu(self.c1(F.interpolate(h, scale_factor=2)), 0.2)
        h = F.leaky_relu(self.c2(F.interpolate(h, scale_factor=2, mode="linear")), 0.2)
        return self.out(h)


class ProfileDiscriminator(nn.Module):
    def __init__(self, c=24):
        super().__init__()
        self.c1 = nn.Conv1d(1, c, 5, stride=2, padding=2)
        self.c2 = nn.Conv1d(c, 2 * c, 5, stride=2, padding=2)
        self.fc = nn.Linear(2 * c * 6, 1)

    def forward(self, x):
        h = F.leaky_relu(self.c1(x), 0.2)
        h = F.leaky_relu(self.c2(h), 0.2)
        return self.fc(h.flatten(1))


def fit(G, D, data, epochs, run_dir):
    loader = DataLoader(data, batch_size=64, shuffle=True, drop_last=True)
    opt_g = torch.optim.Adam(G.parameters(), lr=8e-4, betas=(0.5, 0.9))
    opt_d = torch.optim.Adam(D.parameters(), lr=8e-4, betas=(0.5, 0.9))
    sched_g, sched_d = ExponentialLR(opt_g, 0.96), ExponentialLR(opt_d, 0.96)
    rec = gandiag.Recorder(run_dir, generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)
    for epoch in range(epochs):
        for x in loader:
            fake = G(torch.randn(x.size(0), G.z))
            opt_d.zero_grad()
            d_loss = F.relu(1 - D(x)).mean() + F.relu(1 + D(fake.detach())).mean()
            d_loss.backward()
            opt_d.step()

            opt_g.zero_grad()
            g_loss = -D(fake).mean()
            g_loss.backward()
            opt_g.step()
            rec.step(d_loss=d_loss, g_loss=g_loss, real=x, fake=fake)
            sched_d.step()
            sched_g.step()
        if epoch % 20 == 19:
            print(f"epoch {epoch + 1}: {d_loss.item():.3f} / {g_loss.item():.3f}")
    rec.close()


if __name__ == "__main__":
    seed_all()
    G, D = ProfileGenerator(), ProfileDiscriminator()
    fit(G, D, profiles(1600, 1), 50, sys.argv[1])
    with torch.no_grad():
        e = outside.energy(G(torch.randn(1000, G.z)), profiles(1000, 2))
    outside.say(e < 0.06, energy=e)
