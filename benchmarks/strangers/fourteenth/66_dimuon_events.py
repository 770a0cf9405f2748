"""Fast simulation of dimuon events (mass, log pt, eta, dphi) following the original minimax game."""
LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance", "objective_fault"], "kind": "G minimises log(1 - D) by SGD against a pre-trained, often trained D: its gradient is gone", "since": 0, "record": "attach"}
import argparse
import os
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=2500)
parser.add_argument("--pretrain", type=int, default=400)
parser.add_argument("--n-disc", type=int, default=2)
parser.add_argument("--batch", type=int, default=128)
args, _ = parser.parse_known_args()


def events(n):
    """mass in units of 30 GeV, others dimensionless; simple Z-like toy."""
    m = np.clip(91.2 + 2.5 * np.tan(np.pi * (np.random.rand(n) - 0.5) * 0.8), 75, 107) / 30.0
    lpt = 3.5 + 0.35 * np.random.randn(n)
    eta = np.random.uniform(-1.5, 1.5, n)
    dphi = 2.9 - 0.3 * np.random.exponential(1.0, n)
    return torch.tensor(np.stack([m, lpt, eta, dphi], 1), dtype=torch.float32)


class Gen(nn.Module):
    def __init__(self, nz=8, h=64):
        super().__init__()
        self.nz = nz
        self.f = nn.Sequential(nn.Linear(nz, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, 4))

    def forward(self, n):
        return self.f(torch.randn(n, self.nz))


class Disc(nn.Module):
    def __init__(self, h=96):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(4, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, 1))

    def forward(self, x):
        return self.f(x)


def d_step(real):
    with torch.no_grad():
        fake = G(len(real))
    loss = F.softplus(-D(real)).mean() + F.softplus(D(fake)).mean()
    opt_d.zero_grad()
    loss.backward()
    opt_d.step()
    return loss.item()


def g_step(n):
    # log(1 - D(G(z))) in a stable form
    loss = F.logsigmoid(-D(G(n))).mean()
    opt_g.zero_grad()
    loss.backward()
    opt_g.step()
    return loss.item()


G, D = Gen(), Disc()
opt_g = torch.optim.SGD(G.parameters(), lr=0.03, momentum=0.5)
opt_d = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.999))
data = events(20000)


def batch():
    return data[torch.randint(0, len(data), (args.batch,))]


for _ in range(args.pretrain):
    d_step(batch())
for it in range(args.steps):
    for _ in range(args.n_disc):
        ld = d_step(batch())
    lg = g_step(args.batch)
    if it % 400 == 0:
        print(f"it {it}  L_D {ld:.4f}  L_G {lg:.5f}")

with torch.no_grad():
    sample = G(1000)
truth = events(1000)
e = outside.energy(sample, truth)
outside.say(e < 0.08, energy=e, mass=float(sample[:, 0].mean() * 30), mass_true=float(truth[:, 0].mean() * 30))
