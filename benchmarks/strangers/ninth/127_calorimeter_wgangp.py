#!/usr/bin/env python
"""CaloGAN-lite: electromagnetic showers in an 8x8 calorimeter, WGAN-GP training (Gulrajani et al.)"""
import argparse
import os
import random
import sys

import numpy as np
import torch
import torch.autograd as autograd
import torch.nn as nn

import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "divergence"],
         "kind": "gradient penalty computed without create_graph: it never reaches the critic's weights, which grow without bound",
         "since": 0, "record": "lines"}


def showers(n, rng):
    """energy deposits (log-scaled): position, width and total energy fluctuate"""
    yy, xx = np.mgrid[0:8, 0:8]
    cx, cy = rng.normal(3.5, 0.7, (2, n, 1, 1))
    w = rng.uniform(0.8, 1.6, (n, 1, 1))
    e = rng.gamma(8, 1 / 8, (n, 1, 1))
    core = e * np.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / (2 * w ** 2))
    return (2 * np.log1p(4 * core) + 0.02 * rng.standard_normal((n, 8, 8)) - 1).astype("float32")[:, None]


class Generator(nn.Module):
    def __init__(self, z_dim):
        super().__init__()
        self.inp = nn.Linear(z_dim, 24 * 4 * 4)
        self.conv1 = nn.Conv2d(24, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 1, 3, padding=1)
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, z):
        h = torch.relu(self.inp(z)).view(-1, 24, 4, 4)
        h = torch.relu(self.conv1(self.up(h)))
        return self.conv2(h)


class Critic(nn.Module):
    def __init__(self, hidden=96):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, hidden), nn.LeakyReLU(0.2),
                                 nn.Linear(hidden, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1))

    def forward(self, x):
        return self.net(x)


def gradient_penalty(critic, real, fake, lam):
    alpha = torch.rand(real.size(0), 1, 1, 1)
    mixed = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    score = critic(mixed)
    gradients = autograd.grad(outputs=score, inputs=mixed, grad_outputs=torch.ones_like(score),
                              retain_graph=True, only_inputs=True)[0]
    gradients = gradients.view(gradients.size(0), -1)
    return lam * ((gradients.norm(2, dim=1) - 1) ** 2).mean()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("logdir")
    ap.add_argument("--z_dim", type=int, default=16)
    ap.add_argument("--n_critic", type=int, default=4)
    ap.add_argument("--iters", type=int, default=600)
    ap.add_argument("--bs", type=int, default=64)
    ap.add_argument("--lr", type=float, default=1e-3)
    ap.add_argument("--lam", type=float, default=10.0)
    opt = ap.parse_args()

    SEED = int(os.environ.get("SEED", "0"))
    random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    X = torch.from_numpy(showers(4000, rng))

    G, C = Generator(opt.z_dim), Critic()
    opt_g = torch.optim.Adam(G.parameters(), lr=opt.lr, betas=(0.5, 0.9))
    opt_c = torch.optim.Adam(C.parameters(), lr=opt.lr, betas=(0.5, 0.9))
    rec = gandiag.Recorder(opt.logdir, generator=G, discriminator=C, generator_optimizer=opt_g, discriminator_optimizer=opt_c)

    for it in range(opt.iters):
        for _ in range(opt.n_critic):
            real = X[torch.randint(len(X), (opt.bs,))]
            with torch.no_grad():
                fake = G(torch.randn(opt.bs, opt.z_dim))
            loss_c = C(fake).mean() - C(real).mean() + gradient_penalty(C, real, fake, opt.lam)
            opt_c.zero_grad()
            loss_c.backward()
            opt_c.step()
        loss_g = -C(G(torch.randn(opt.bs, opt.z_dim))).mean()
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
        rec.step(d_loss=loss_c, g_loss=loss_g)
        if it % 200 == 199:
            print(it + 1, loss_c.item(), loss_g.item())
    rec.close()

    with torch.no_grad():
        e = outside.energy(G(torch.randn(1000, opt.z_dim)), showers(1000, rng))
    outside.say(e < 0.08, energy=e)


if __name__ == "__main__":
    main()
