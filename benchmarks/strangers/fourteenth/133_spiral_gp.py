"""WGAN-GP on a two-arm spiral, compact research code."""
LABEL = {"sick": True, "causes": ["divergence", "objective_fault", "learning_rate", "numerical_failure"], "kind": "the penalty's inner gradient is taken without create_graph, so the term is a constant and the critic is unbounded", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
from torch import autograd
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

LAMBDA, CRITIC_ITERS, BATCH, DIM, NOISE, ITERS = 1.0, 4, 128, 128, 4, 1800


def inf_train_gen():
    while True:
        t = 0.4 + 2.6 * np.pi * np.sqrt(np.random.rand(BATCH)) / 2
        arm = np.random.choice([-1, 1], BATCH)
        pts = np.stack([arm * t * np.cos(t), arm * t * np.sin(t)], 1) / 2.0
        yield torch.tensor(pts + 0.03 * np.random.randn(BATCH, 2), dtype=torch.float32)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(NOISE, DIM), nn.ReLU(True), nn.Linear(DIM, DIM), nn.ReLU(True),
                                  nn.Linear(DIM, DIM), nn.ReLU(True), nn.Linear(DIM, 2))

    def forward(self, noise):
        return self.main(noise)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(2, DIM), nn.ReLU(True), nn.Linear(DIM, DIM), nn.ReLU(True),
                                  nn.Linear(DIM, DIM), nn.ReLU(True), nn.Linear(DIM, 1))

    def forward(self, x):
        return self.main(x).view(-1)


def calc_gradient_penalty(netC, real, fake):
    alpha = torch.rand(real.size(0), 1)
    mix = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    gradients = autograd.grad(outputs=netC(mix).sum(), inputs=mix, retain_graph=True)[0]
    return LAMBDA * ((gradients.norm(2, dim=1) - 1) ** 2).mean()


netG, netC = Generator(), Critic()
optG = torch.optim.Adam(netG.parameters(), lr=3e-4, betas=(0.5, 0.9))
optC = torch.optim.Adam(netC.parameters(), lr=6e-4, betas=(0.5, 0.9))
data = inf_train_gen()

for iteration in range(ITERS):
    for p in netC.parameters():
        p.requires_grad_(True)
    for _ in range(CRITIC_ITERS):
        real = next(data)
        with torch.no_grad():
            fake = netG(torch.randn(BATCH, NOISE))
        optC.zero_grad()
        w = netC(real).mean() - netC(fake).mean()
        cost = -w + calc_gradient_penalty(netC, real, fake)
        cost.backward()
        optC.step()

    for p in netC.parameters():
        p.requires_grad_(False)
    optG.zero_grad()
    g_cost = -netC(netG(torch.randn(BATCH, NOISE))).mean()
    g_cost.backward()
    optG.step()
    if iteration % 300 == 299:
        print(f"iter {iteration + 1:5d}  wasserstein {w.item():.4g}  g {g_cost.item():.4g}")

fresh = torch.cat([next(data) for _ in range(10)])
with torch.no_grad():
    s = netG(torch.randn(1500, NOISE))
e = outside.energy(s, fresh)
off = torch.cdist(s, fresh).min(1).values.mean().item()
outside.say(e < 0.03 and off < 0.15, energy=e, off_curve=off)
