"""Conditional GAN for synthetic Raman spectra (augmentation of a small library of four compounds)."""
import os
import random
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import gandiag
import outside

LABEL = {"sick": True, "causes": ["data_mismatch"],
         "kind": "spectra are shuffled but the compound labels are not: labels do not match the data",
         "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

CHANNELS, N_COMPOUNDS, LATENT = 48, 4, 12
PEAKS = {0: [(8, 1.0), (30, .6)], 1: [(15, .9)], 2: [(22, 1.1), (40, .5)], 3: [(35, 1.0), (12, .5)]}


def measure(compound, rng):
    axis = np.arange(CHANNELS)
    out = np.zeros(CHANNELS)
    for centre, height in PEAKS[compound]:
        out += height * rng.uniform(.8, 1.2) * np.exp(-0.5 * ((axis - centre - rng.normal(0, .5)) / 2.2) ** 2)
    return out + rng.normal(0, .02, CHANNELS)


def load_library(n_each=500):
    rng = np.random.default_rng(7)
    spectra = np.stack([measure(c, rng) for c in range(N_COMPOUNDS) for _ in range(n_each)])
    compound = np.repeat(np.arange(N_COMPOUNDS), n_each)
    order = rng.permutation(len(spectra))
    spectra = spectra[order]
    return torch.tensor(spectra * 1.5 - .75, dtype=torch.float32), torch.tensor(compound)


class SpectrumMaker(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(N_COMPOUNDS, 8)
        self.inp = nn.Linear(LATENT + 8, 96)
        self.mid = nn.Linear(96, 96)
        self.out = nn.Linear(96, CHANNELS)

    def forward(self, z, c):
        h = F.relu(self.inp(torch.cat([z, self.embed(c)], 1)))
        h = h + F.relu(self.mid(h))
        return self.out(h)


class SpectrumCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(CHANNELS, 96), nn.LeakyReLU(.1), nn.Linear(96, 96), nn.LeakyReLU(.1))
        self.score = nn.Linear(96, 1)
        self.project = nn.Embedding(N_COMPOUNDS, 96)

    def forward(self, x, c):
        h = self.body(x)
        return self.score(h) + (self.project(c) * h).sum(1, keepdim=True)


def main():
    x_all, c_all = load_library()
    G, D = SpectrumMaker(), SpectrumCritic()
    g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0., .9))
    d_opt = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0., .9))
    rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
    for step in range(2500):
        pick = torch.randint(len(x_all), (64,))
        x, c = x_all[pick], c_all[pick]
        fake = G(torch.randn(64, LATENT), c)
        real_logits, fake_logits = D(x, c), D(fake.detach(), c)
        d_loss = F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()
        d_opt.zero_grad()
        d_loss.backward()
        d_opt.step()

        g_loss = -D(fake, c).mean()
        g_opt.zero_grad()
        g_loss.backward()
        g_opt.step()
        rec.step(d_loss=d_loss, g_loss=g_loss, real=x, fake=fake, real_logits=real_logits, fake_logits=fake_logits)
    rec.close()

    rng = np.random.default_rng(99)
    reference = np.stack([np.mean([measure(c, rng) for _ in range(100)], 0) for c in range(N_COMPOUNDS)]) * 1.5 - .75
    want = torch.arange(N_COMPOUNDS).repeat(200)
    with torch.no_grad():
        made = G(torch.randn(len(want), LATENT), want).numpy()
    found = ((made[:, None] - reference[None]) ** 2).sum(2).argmin(1)
    accuracy = float((found == want.numpy()).mean())
    outside.say(accuracy > .75, accuracy=accuracy)


if __name__ == "__main__":
    main()
