"""A GAN: shapes collapse."""
import os, random, sys
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["mode_collapse", "discriminator_weakness", "mode_dropping"],
         "kind": "ten generator updates for each update of D ('my D was too strong'): G runs to whatever fools D now, all samples alike",
         "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

S = 12


def glyphs():
    """eight symbols, S x S, in [-1, 1]"""
    g = -np.ones((8, S, S), np.float32)
    g[0, 2:10, 5:7] = 1                                   # |
    g[1, 5:7, 2:10] = 1                                   # -
    g[2, 2:10, 5:7] = 1; g[2, 5:7, 2:10] = 1              # +
    g[3, 2:10, 2:10] = 1; g[3, 4:8, 4:8] = -1             # ring
    for i in range(2, 10):
        g[4, i, i] = g[4, i, i - 1] = 1                   # \
        g[5, i, 11 - i] = g[5, i, 12 - i] = 1             # /
    g[6, 3:9, 3:9] = 1                                    # box
    g[7, 2:4, 2:10] = 1; g[7, 2:10, 5:7] = 1              # T
    return g


GLYPHS = glyphs()


def batch(n):
    k, dy, dx = np.random.randint(8, size=n), np.random.randint(-1, 2, size=n), np.random.randint(-1, 2, size=n)
    ink = np.random.uniform(0.5, 1.0, size=n)
    x = np.stack([(np.roll(GLYPHS[a], (b, c), (0, 1)) + 1) * w - 1 for a, b, c, w in zip(k, dy, dx, ink)])
    return torch.tensor(np.clip(x + 0.1 * np.random.randn(n, S, S), -1, 1)[:, None], dtype=torch.float32)


class G_(nn.Module):
    def __init__(self, zdim=24, c=24):
        super().__init__()
        self.project = nn.Sequential(nn.Linear(zdim, c * 9), nn.BatchNorm1d(c * 9), nn.ReLU())
        self.net = nn.Sequential(
            nn.ConvTranspose2d(c, c, 4, 2, 1), nn.BatchNorm2d(c), nn.ReLU(),
            nn.ConvTranspose2d(c, c // 2, 4, 2, 1), nn.ReLU(),
            nn.Conv2d(c // 2, 1, 3, 1, 1), nn.Tanh())
        self.c = c

    def forward(self, z):
        return self.net(self.project(z).view(-1, self.c, 3, 3))


class D_(nn.Module):
    def __init__(self, c=24):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, c, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(c, 2 * c, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Flatten(), nn.Dropout(0.4), nn.Linear(2 * c * 9, 1))

    def forward(self, x):
        return self.net(x).squeeze(1)


generator, discriminator = G_(), D_()
g_optim = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
d_optim = torch.optim.Adam(discriminator.parameters(), lr=6e-4, betas=(0.5, 0.9))
loss_fn = nn.BCEWithLogitsLoss()
G_STEPS = 10
ROUNDS = 600 // G_STEPS + 20

with gandiag.Recorder(sys.argv[1], generator=generator, discriminator=discriminator,
                      generator_optimizer=g_optim, discriminator_optimizer=d_optim) as rec:
    for r in range(ROUNDS):
        x = batch(64)
        z = torch.randn(64, 24)
        p, q = discriminator(x), discriminator(generator(z).detach())
        d_loss = loss_fn(p, torch.ones(64)) + loss_fn(q, torch.zeros(64))
        d_optim.zero_grad()
        d_loss.backward()
        d_optim.step()
        for _ in range(G_STEPS):
            g_loss = loss_fn(discriminator(generator(torch.randn(64, 24))), torch.ones(64))
            g_optim.zero_grad()
            g_loss.backward()
            g_optim.step()
        rec.step(d_loss=d_loss, g_loss=g_loss)

with torch.no_grad():
    samples = generator(torch.randn(1000, 24))
e = outside.energy(samples, batch(1000))
spread = (samples.std(0).mean() / batch(1000).std(0).mean()).item()
outside.say(e < 0.2 and spread > 0.4, energy=e, spread=spread)
