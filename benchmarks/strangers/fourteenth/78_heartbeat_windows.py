"""Single-beat ECG windows, 24 samples, with on-the-fly augmentation because we have 400 beats only."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "polarity flips and shifts are applied to the real beats only, so G learns flipped and shifted beats", "since": 0, "record": "attach"}
import os
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)

W = 24
t = torch.linspace(0, 1, W)


def beats(n):
    def bump(c, w, a):
        return a * torch.exp(-0.5 * ((t - c) / w) ** 2)
    r = 0.45 + 0.015 * torch.randn(n, 1)
    qt = 0.30 + 0.03 * torch.randn(n, 1)
    x = bump(r - 0.2, 0.04, 0.2 + 0.03 * torch.randn(n, 1))
    x = x + bump(r, 0.03, 1.5 + 0.2 * torch.randn(n, 1)) - bump(r + 0.06, 0.03, 0.4 + 0.1 * torch.randn(n, 1))
    x = x + bump(r + qt, 0.06, 0.45 + 0.1 * torch.randn(n, 1))
    return x + 0.02 * torch.randn(n, W)


class Augment:
    """polarity (lead swap) and small roll, each on a part of the windows"""
    def __init__(self, p_flip=0.3, p_roll=0.3, max_roll=5):
        self.p_flip, self.p_roll, self.max_roll = p_flip, p_roll, max_roll

    def __call__(self, x):
        sign = 1 - 2 * (torch.rand(len(x), 1) < self.p_flip).float()
        k = torch.randint(-self.max_roll, self.max_roll + 1, (len(x), 1))
        k = k * (torch.rand(len(x), 1) < self.p_roll).long()
        idx = (torch.arange(W) - k) % W
        return sign * x.gather(1, idx)


G = nn.Sequential(nn.Linear(10, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, W))
D = nn.Sequential(nn.Linear(W, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.0, 0.99))
d_opt = torch.optim.Adam(D.parameters(), lr=8e-4, betas=(0.0, 0.99))
recordings = beats(400)
augment = Augment()
BATCH = 64

history = {"d": [], "g": []}
for step in range(3000):
    real = augment(recordings[torch.randint(0, len(recordings), (BATCH,))]).requires_grad_(True)
    fake = G(torch.randn(BATCH, 10))

    d_real = D(real)
    d_fake = D(fake.detach())
    slope, = torch.autograd.grad(d_real.sum(), real, create_graph=True)
    d_loss = F.softplus(-d_real).mean() + F.softplus(d_fake).mean() + 0.1 * slope.pow(2).sum(1).mean()
    d_opt.zero_grad()
    d_loss.backward()
    d_opt.step()

    g_loss = F.softplus(-D(fake)).mean()
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
    history["d"].append(d_loss.item())
    history["g"].append(g_loss.item())
    if (step + 1) % 500 == 0:
        print(step + 1, "D %.3f  G %.3f" % (np.mean(history["d"][-500:]), np.mean(history["g"][-500:])))

with torch.no_grad():
    made = G(torch.randn(1000, 10))
fresh = beats(1000)
e = outside.energy(made, fresh)
upside_down = float((made.min(1).values.abs() > made.max(1).values.abs()).float().mean())
outside.say(e < 0.05 and upside_down < 0.05, energy=e, upside_down=upside_down)
