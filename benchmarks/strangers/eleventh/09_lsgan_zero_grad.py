"""LSGAN on pinwheel data with a small Trainer class; my port of a Keras notebook."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "oscillation", "discriminator_weakness"], "kind": "the discriminator's zero_grad is missing, its gradients pile up and mix with the generator's", "since": 0, "record": "automatic"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def pinwheel(n, arms=5):
    k = np.random.randint(0, arms, n)
    r = 1.0 + 0.3 * np.random.randn(n)
    t = 0.1 * np.random.randn(n)
    a = 2 * np.pi * k / arms + 0.25 * np.exp(r)
    x = np.stack([r * np.cos(a) - t * np.sin(a), r * np.sin(a) + t * np.cos(a)], 1)
    return torch.tensor(x, dtype=torch.float32)

class Trainer:
    def __init__(self, zdim=8, h=96):
        self.zdim = zdim
        self.G = nn.Sequential(nn.Linear(zdim, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, 2))
        self.D = nn.Sequential(nn.Linear(2, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, 1))
        self.g_opt = torch.optim.Adam(self.G.parameters(), lr=1e-3, betas=(0.5, 0.999))
        self.d_opt = torch.optim.Adam(self.D.parameters(), lr=1e-3, betas=(0.5, 0.999))

    def train_discriminator(self, real):
        fake = self.G(torch.randn(len(real), self.zdim)).detach()
        loss = ((self.D(real) - 1) ** 2).mean() + (self.D(fake) ** 2).mean()
        loss.backward()
        self.d_opt.step()
        return loss.item()

    def train_generator(self, n):
        self.g_opt.zero_grad()
        loss = ((self.D(self.G(torch.randn(n, self.zdim))) - 1) ** 2).mean()
        loss.backward()
        self.g_opt.step()
        return loss.item()

    def fit(self, steps, bs=160):
        for s in range(steps):
            d = self.train_discriminator(pinwheel(bs))
            g = self.train_generator(bs)
            if s % 1000 == 0:
                print(f"{s:5d} d={d:.3f} g={g:.3f}")

tr = Trainer()
gandiag.Recorder(sys.argv[1], generator=tr.G, discriminator=tr.D, generator_optimizer=tr.g_opt, discriminator_optimizer=tr.d_opt, automatic=True)
tr.fit(4000)
with torch.no_grad():
    s = tr.G(torch.randn(1000, 8))
e = outside.energy(s, pinwheel(1000))
outside.say(e < 0.03, energy=e)
