"""Evening skies, 3 x 8 x 8.  Course project "generative models", group 14."""
LABEL = {"sick": True, "causes": ["discriminator_dominance", "learning_rate", "vanishing_generator_gradient", "stagnation"],
         "kind": "G's rate is 400 times smaller than D's (1e-5 and 4e-3): D wins at once and G hardly moves", "since": 0, "record": "automatic"}
import os
import random
import sys

import numpy as np
import torch
import torch.nn as nn

import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

PALETTE = np.array([[.9, .2, .2], [.2, .8, .3], [.25, .35, .95], [.9, .85, .2]])
LR_G, LR_D = 1e-5, 4e-3
STEPS, BATCH, NOISE = 1200, 32, 16


def skies(n, rng):
    """a colour that fades from the top to the bottom, and a round sun"""
    yy, xx = np.mgrid[:8, :8] / 7.0
    out = np.zeros((n, 3, 8, 8))
    for i in range(n):
        w = rng.random()
        top, low = w * PALETTE[0] + (1 - w) * PALETTE[2], PALETTE[3] * rng.uniform(0.4, 1)
        out[i] = top[:, None, None] * (1 - yy) + low[:, None, None] * yy
        cx, cy = rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.5)
        sun = np.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / 0.03)
        out[i] = out[i] * (1 - sun) + sun
    out = out * 1.6 - 0.8 + 0.05 * rng.standard_normal(out.shape)
    return torch.tensor(out.clip(-1, 1), dtype=torch.float32)


class SkyG(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(NOISE, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 16 * 16), nn.BatchNorm1d(256), nn.ReLU())
        self.up = nn.ConvTranspose2d(16, 3, 4, 2, 1)

    def forward(self, z):
        return torch.tanh(self.up(self.net(z).view(-1, 16, 4, 4)))


class SkyD(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 4, 2, 1)
        self.fc1, self.fc2 = nn.Linear(32 * 16, 64), nn.Linear(64, 1)

    def forward(self, x):
        h = nn.functional.leaky_relu(self.conv1(x), 0.2).flatten(1)
        h = nn.functional.leaky_relu(self.fc1(h), 0.2)
        return torch.sigmoid(self.fc2(h)).flatten()


rng = np.random.default_rng(SEED)
train = skies(2000, rng)
G, D = SkyG(), SkyD()
g_opt = torch.optim.Adam(G.parameters(), lr=LR_G, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=LR_D, betas=(0.5, 0.999))
bce = nn.BCELoss()
ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)

rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt,
                       discriminator_optimizer=d_opt, discriminator_output="probability", automatic=True)
for step in range(STEPS):
    real = train[rng.integers(0, len(train), BATCH)]
    fake = G(torch.randn(BATCH, NOISE))

    d_opt.zero_grad()
    d_real = bce(D(real), ones)
    d_fake = bce(D(fake.detach()), zeros)
    (d_real + d_fake).backward()
    d_opt.step()

    g_opt.zero_grad()
    g_loss = bce(D(fake), ones)
    g_loss.backward()
    g_opt.step()
    if step % 400 == 0:
        print(f"step {step}: D {d_real + d_fake:.3f}  G {g_loss:.3f}")
rec.close()

with torch.no_grad():
    result = G(torch.randn(600, NOISE))
e = outside.energy(result, skies(600, rng))
outside.say(e < 0.06, energy=e)
