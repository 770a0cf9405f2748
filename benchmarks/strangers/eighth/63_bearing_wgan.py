"""Vibration windows of a bearing, WGAN-GP (adapted from our 2021 condition-monitoring paper)."""
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import gandiag, outside

LABEL = {"sick": True, "causes": ["objective_fault", "divergence"],
         "kind": "gradient penalty computed without create_graph: it is a constant, the critic is unbounded",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
for seeder in (random.seed, np.random.seed, torch.manual_seed):
    seeder(SEED)
torch.set_num_threads(1)

W = 32


def windows(n):
    t = torch.arange(W) / W
    f = 2 + 2 * torch.rand(n, 1)
    phase = 6.2832 * torch.rand(n, 1)
    amp = 0.4 + 0.4 * torch.rand(n, 1)
    x = amp * torch.sin(6.2832 * f * t + phase)
    return (x + 0.05 * torch.randn(n, W)).unsqueeze(1)


class Synth(nn.Module):
    def __init__(self, nz=16):
        super().__init__()
        self.fc = nn.Linear(nz, 32 * 8)
        self.up = nn.Sequential(
            nn.ReLU(), nn.ConvTranspose1d(32, 24, 4, 2, 1), nn.ReLU(),
            nn.ConvTranspose1d(24, 16, 4, 2, 1), nn.ReLU(), nn.Conv1d(16, 1, 5, 1, 2))

    def forward(self, z):
        return self.up(self.fc(z).view(-1, 32, 8))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(1, 16, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(16, 32, 5, 2, 2), nn.LeakyReLU(0.2))
        self.head = nn.Linear(32 * 8, 1)

    def forward(self, x):
        return self.head(self.conv(x).flatten(1)).squeeze(1)


def penalty(critic, real, fake):
    eps = torch.rand(len(real), 1, 1)
    mix = (eps * real + (1 - eps) * fake).requires_grad_(True)
    score = critic(mix)
    grad = torch.autograd.grad(score, mix, torch.ones_like(score), retain_graph=True)[0]
    return ((grad.flatten(1).norm(2, dim=1) - 1) ** 2).mean()


netG, netD = Synth(), Critic()
optG = torch.optim.Adam(netG.parameters(), lr=3e-4, betas=(0.5, 0.9))
optD = torch.optim.Adam(netD.parameters(), lr=3e-4, betas=(0.5, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG, discriminator_optimizer=optD, automatic=True)

n_critic, lambda_gp, bs = 3, 10.0, 64
for it in range(550):
    for _ in range(n_critic):
        real = windows(bs)
        fake = netG(torch.randn(bs, 16)).detach()
        lossD = netD(fake).mean() - netD(real).mean() + lambda_gp * penalty(netD, real, fake)
        optD.zero_grad(); lossD.backward(); optD.step()
    lossG = -netD(netG(torch.randn(bs, 16))).mean()
    optG.zero_grad(); lossG.backward(); optG.step()
    if it % 300 == 0:
        print(it, round(lossD.item(), 3), round(lossG.item(), 3))
rec.close()

with torch.no_grad():
    e = outside.energy(netG(torch.randn(1000, 16)), windows(1000))
outside.say(e < 0.06, energy=e)
