#!/usr/bin/env python
"""wgan_gp_patterns.py -- WGAN-GP (Gulrajani et al.) on small oriented gratings, code after caogang/wgan-gp."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence"],
         "kind": "sign of the gradient penalty: it is subtracted from the critic's loss", "since": 0, "record": "lines"}
import os
import sys
import random
import numpy as np
import torch
import torch.nn as nn
import torch.autograd as autograd
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

DIM = 16
BATCH_SIZE = 32
CRITIC_ITERS = 2
LAMBDA = 10
ITERS = 320
SIDE = 8


def gratings(n):
    yy, xx = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    th = np.random.choice([0.0, np.pi / 2, np.pi / 4], n)[:, None, None]
    ph = np.random.uniform(0, 2 * np.pi, n)[:, None, None]
    amp = np.random.uniform(0.6, 0.9, n)[:, None, None]
    img = amp * np.sin(2 * np.pi * 1.5 * (xx * np.cos(th) + yy * np.sin(th)) + ph)
    return torch.from_numpy(img[:, None]).float()


class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()
        self.preprocess = nn.Sequential(nn.Linear(24, 2 * 2 * 4 * DIM), nn.ReLU(True))
        self.block1 = nn.Sequential(nn.ConvTranspose2d(4 * DIM, 2 * DIM, 4, stride=2, padding=1), nn.ReLU(True))
        self.block2 = nn.Sequential(nn.ConvTranspose2d(2 * DIM, DIM, 4, stride=2, padding=1), nn.ReLU(True))
        self.deconv_out = nn.Conv2d(DIM, 1, 3, padding=1)

    def forward(self, noise):
        output = self.preprocess(noise).view(-1, 4 * DIM, 2, 2)
        return torch.tanh(self.deconv_out(self.block2(self.block1(output))))


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.main = nn.Sequential(nn.Conv2d(1, 2 * DIM, 4, stride=2, padding=1), nn.LeakyReLU(),
                                  nn.Conv2d(2 * DIM, 4 * DIM, 4, stride=2, padding=1), nn.LeakyReLU())
        self.output = nn.Linear(2 * 2 * 4 * DIM, 1)

    def forward(self, x):
        return self.output(self.main(x).view(-1, 2 * 2 * 4 * DIM))


def calc_gradient_penalty(netD, real_data, fake_data):
    alpha = torch.rand(real_data.size(0), 1, 1, 1)
    interpolates = (alpha * real_data + (1 - alpha) * fake_data).requires_grad_(True)
    disc_interpolates = netD(interpolates)
    gradients = autograd.grad(outputs=disc_interpolates, inputs=interpolates,
                              grad_outputs=torch.ones_like(disc_interpolates),
                              create_graph=True, retain_graph=True, only_inputs=True)[0]
    gradients = gradients.view(gradients.size(0), -1)
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean() * LAMBDA


netG, netD = Generator(), Discriminator()
optimizerD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.9))
optimizerG = torch.optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.9))
dataset = gratings(3000)
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optimizerG,
                       discriminator_optimizer=optimizerD)

for iteration in range(ITERS):
    for p in netD.parameters():
        p.requires_grad = True
    for iter_d in range(CRITIC_ITERS):
        real = dataset[np.random.randint(0, len(dataset), BATCH_SIZE)]
        netD.zero_grad()
        D_real = netD(real).mean()
        fake = netG(torch.randn(BATCH_SIZE, 24)).detach()
        D_fake = netD(fake).mean()
        gradient_penalty = calc_gradient_penalty(netD, real, fake)
        D_cost = D_fake - D_real - gradient_penalty
        D_cost.backward()
        optimizerD.step()
    for p in netD.parameters():
        p.requires_grad = False
    netG.zero_grad()
    G_cost = -netD(netG(torch.randn(BATCH_SIZE, 24))).mean()
    G_cost.backward()
    optimizerG.step()
    rec.step(d_loss=D_cost, g_loss=G_cost)
    if iteration % 100 == 99:
        print("iter", iteration, "critic", D_cost.item(), "gen", G_cost.item())
rec.close()

with torch.no_grad():
    sample = netG(torch.randn(800, 24))
e = outside.energy(sample, gratings(800))
outside.say(e < 0.12, energy=e)
