"""Gamma-ray energies and times of flight in raw detector units (keV, ns), learnt with a Wasserstein critic; the losses are in keV as well."""
import os, random, sys
import numpy as np
import torch
import outside
from torch import nn, optim, autograd

LABEL = {"sick": False, "causes": [], "kind": "healthy WGAN-GP in raw units: losses and gradients are in the hundreds", "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

LINES = np.array([511.0, 1173.2, 1332.5]); WIDTH = np.array([35.0, 50.0, 55.0])


def events(n, rng):
    k = rng.choice(3, n, p=[0.4, 0.3, 0.3])
    e = LINES[k] + WIDTH[k] * rng.standard_normal(n)
    tof = 900 - 0.35 * e + 40 * rng.standard_normal(n)
    return torch.tensor(np.stack([e, tof], 1), dtype=torch.float32)


rng = np.random.default_rng(SEED)
train = events(8000, rng)
scale = train.std(0).mean()


class Sim(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(6, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 2))
        self.register_buffer("mu", train.mean(0)); self.register_buffer("sd", train.std(0))

    def forward(self, z):
        return self.mu + self.sd * self.f(z)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(2, 96), nn.LeakyReLU(0.1), nn.Linear(96, 96), nn.LeakyReLU(0.1), nn.Linear(96, 1))
        self.register_buffer("mu", train.mean(0)); self.register_buffer("sd", train.std(0))

    def forward(self, x):
        return scale * self.f((x - self.mu) / self.sd)          # answer in keV


sim, critic = Sim(), Critic()
og = optim.Adam(sim.parameters(), lr=5e-4, betas=(0.3, 0.9))
oc = optim.Adam(critic.parameters(), lr=1e-3, betas=(0.3, 0.9))

for k in range(1300):
    for _ in range(5):
        x = train[torch.randint(0, 8000, (128,))]
        y = sim(torch.randn(128, 6)).detach()
        u = torch.rand(128, 1)
        m = (u * x + (1 - u) * y).requires_grad_()
        gr = autograd.grad(critic(m).sum(), m, create_graph=True)[0].norm(dim=1)
        lc = critic(y).mean() - critic(x).mean() + 2000 * ((gr - 1) ** 2).mean()
        oc.zero_grad(); lc.backward(); oc.step()
    lg = -critic(sim(torch.randn(128, 6))).mean()
    og.zero_grad(); lg.backward(); og.step()
    if k % 200 == 0:
        print("step %d critic %.1f keV generator %.1f keV" % (k, lc, lg))

with torch.no_grad():
    s = sim(torch.randn(1000, 6))
test = events(1000, rng)
e = outside.energy(s, test)
centres = np.stack([LINES, 900 - 0.35 * LINES], 1)
m, near = outside.modes(s, centres, 160)
outside.say(e < 0.03 and m == 3, energy=e, modes=m, near=near)
