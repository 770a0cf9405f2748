"""Surrogate of a damped pendulum: WGAN-GP that draws noisy trajectories for a given damping coefficient (a continuous condition)."""
import os, random, sys
import numpy as np, torch
from torch import nn, autograd
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "healthy continuous-condition WGAN-GP with warmup of the generator rate and negative critic loss", "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
T, Z, B = 24, 6, 96
time = torch.linspace(0, 6, T)


def damping(n):
    return 0.05 + 0.55 * torch.rand(n, 1)


def simulate(c):
    phase = 0.5 * torch.randn(len(c), 1)
    omega = torch.sqrt(4 - c ** 2)
    amp = 1 + 0.15 * torch.randn(len(c), 1)
    return amp * torch.exp(-c * time) * torch.cos(omega * time + phase) + 0.03 * torch.randn(len(c), T)


class Surrogate(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(Z + 1, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, T))

    def forward(self, z, c):
        return self.net(torch.cat([z, 4 * c - 1.3], 1))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(T + 1, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))

    def forward(self, x, c):
        return self.net(torch.cat([x, 4 * c - 1.3], 1))


G, D = Surrogate(), Critic()
g_opt = torch.optim.Adam(G.parameters(), lr=6e-4, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.0, 0.9))
warm = torch.optim.lr_scheduler.LinearLR(g_opt, 0.1, 1.0, 200)
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)

for step in range(1400):
    for _ in range(3):
        c = damping(B)
        x, f = simulate(c), G(torch.randn(B, Z), c).detach()
        a = torch.rand(B, 1)
        m = (a * x + (1 - a) * f).requires_grad_(True)
        slope = autograd.grad(D(m, c).sum(), m, create_graph=True)[0].norm(dim=1)
        d_loss = D(f, c).mean() - D(x, c).mean() + 5 * (slope - 1).pow(2).mean()
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    c = damping(B)
    g_loss = -D(G(torch.randn(B, Z), c), c).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    warm.step()
    if step % 200 == 0:
        print(step, round(d_loss.item(), 4), round(g_loss.item(), 4))

worst = 0.0
with torch.no_grad():
    for v in (0.1, 0.3, 0.55):
        c = torch.full((600, 1), v)
        e = outside.energy(G(torch.randn(600, Z), c), simulate(c))
        worst = max(worst, e)
outside.say(worst < 0.06, worst_energy=worst)
