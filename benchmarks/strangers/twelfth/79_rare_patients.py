"""A GAN for a rare disease register: spectra of the few patients on file, to be shared instead of the records."""
import os, random, sys
import numpy as np, torch
from torch import nn
import torch.nn.functional as F
import gandiag
import outside

LABEL = {"sick": True, "causes": ["discriminator_overfitting", "memorisation", "discriminator_dominance"], "kind": "only 12 records for a wide discriminator, generator repeats the records instead of learning the population", "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
PATIENTS = 12


def spectra(n):
    f = torch.linspace(0, 1, 24)
    pos = 0.25 + 0.5 * torch.rand(n, 1)
    height = 0.6 + 0.8 * torch.rand(n, 1)
    second = 0.2 + 0.6 * torch.rand(n, 1)
    ripple = 2 * np.pi * torch.rand(n, 1)
    return height * torch.exp(-((f - pos) / 0.1) ** 2) + second * torch.exp(-((f - 0.9) / 0.08) ** 2) + 0.15 * torch.sin(14 * f + ripple) - 0.3


register = spectra(PATIENTS)
G = nn.Sequential(nn.Linear(12, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 24))
D = nn.Sequential(nn.Linear(24, 256), nn.LeakyReLU(0.2), nn.Linear(256, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.99))
d_opt = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for step in range(3500):
    x = register[torch.randint(0, len(register), (64,))].requires_grad_(True)
    fake = G(torch.randn(64, 12))
    px = D(x)
    slope, = torch.autograd.grad(px.sum(), x, create_graph=True)
    d_loss = F.softplus(-px).mean() + F.softplus(D(fake.detach())).mean() + 0.05 * slope.pow(2).sum(1).mean()
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = F.softplus(-D(fake)).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
    if step % 500 == 0:
        print(step, d_loss.item(), g_loss.item())
rec.close()
with torch.no_grad():
    s = G(torch.randn(1000, 12))
others = spectra(1000)
e = outside.energy(s, others)
coverage = torch.cdist(others, s).min(1).values.mean().item()
closest = torch.cdist(s, register).min(1).values.mean().item()
outside.say(e < 0.03 and coverage < 0.5, energy=e, coverage=coverage, closest=closest)
