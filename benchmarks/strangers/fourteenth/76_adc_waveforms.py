"""Digitised detector pulses (integer ADC counts): simulate the pulse library with an R1-regularised GAN."""
LABEL = {"sick": False, "causes": [], "kind": "real pulses sit on an ADC grid and G is continuous, D gets four steps: D stays ahead, but R1 holds it and the pulses are right", "since": None, "record": "lines"}
import os
import random
import sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from gandiag.recording import Recorder
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)

NS = 16                      # samples per pulse
T = np.arange(NS)
LSB = 4.0                    # counts: the cheap digitiser


def pulses(n):
    t0 = np.random.uniform(2.0, 5.0, (n, 1))
    amp = np.random.gamma(6.0, 14.0, (n, 1))
    tau = np.random.choice([2.0, 4.5], (n, 1))          # neutron / gamma like decay
    s = np.where(T > t0, (1 - np.exp(-(T - t0) / 0.8)) * np.exp(-(T - t0) / tau), 0.0)
    counts = amp * s + 10 + 1.5 * np.random.randn(n, NS)
    return (np.round(counts / LSB) * LSB).astype("float32")


lib = pulses(8000)
BASE, UNIT = 25.0, 25.0
lib = torch.from_numpy((lib - BASE) / UNIT)


class PulseG(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(10, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2))
        self.out = nn.Linear(96, NS)
        self.smear = nn.Parameter(torch.tensor(-2.5))     # learnt electronic noise

    def forward(self, z):
        y = self.out(self.fc(z))
        return y + self.smear.exp() * torch.randn_like(y)


class PulseD(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(NS, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))

    def forward(self, x):
        return self.f(x)


G, D = PulseG(), PulseD()
opt_g = torch.optim.Adam(G.parameters(), lr=6e-4, betas=(0.0, 0.99))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.0, 0.99))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)
B, GAMMA, D_STEPS = 64, 0.5, 4


def sample_real():
    return lib[torch.randint(0, len(lib), (B,))]


for step in range(1500):
    for j in range(D_STEPS):
        real = sample_real().requires_grad_(True)
        fake = G(torch.randn(B, 10)).detach()
        r, f = D(real), D(fake)
        adv = F.softplus(-r).mean() + F.softplus(f).mean()
        grad, = torch.autograd.grad(r.sum(), real, create_graph=True)
        r1 = grad.pow(2).sum(1).mean()
        d_loss = adv + 0.5 * GAMMA * r1
        opt_d.zero_grad()
        d_loss.backward()
        opt_d.step()
    fake = G(torch.randn(B, 10))
    g_loss = F.softplus(-D(fake)).mean()
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
    recorder.step(real_logits=r, fake_logits=f, d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)
    if step % 300 == 0:
        print(f"{step}: adv {adv.item():.3f} r1 {r1.item():.4f} g {g_loss.item():.3f}")
recorder.close()

with torch.no_grad():
    made = G(torch.randn(1000, 10)) * UNIT + BASE
fresh = pulses(1000)
e = outside.energy(made, fresh)
outside.say(e < 0.04, energy=e, peak=float(made.max(1).values.mean()), peak_true=float(fresh.max(1).mean()))
