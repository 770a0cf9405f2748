"""Raman spectra of biopsies: GAN augmentation for a small clinical study."""
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["discriminator_overfitting", "memorisation", "discriminator_dominance", "mode_dropping"],
         "kind": "only 16 real spectra against a wide discriminator: it learns them by heart", "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

N_PATIENTS = 16
SHIFTS = 40
Z = 10


def raman(n, rng):
    x = np.linspace(600, 1800, SHIFTS)
    peaks = [(780, 35), (1003, 30), (1260, 60), (1445, 45), (1655, 55)]
    a = rng.gamma(4, 0.25, (n, 5))
    s = sum(a[:, [i]] * np.exp(-0.5 * ((x - m) / w) ** 2) for i, (m, w) in enumerate(peaks))
    s += rng.uniform(0, 0.8, (n, 1)) * np.exp(-(x - 600) / 800)
    s += 0.02 * rng.standard_normal(s.shape)
    return torch.tensor(1.5 * (s - 0.5), dtype=torch.float32)


class SpectrumGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(Z, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU())
        self.head = nn.Linear(96, SHIFTS)

    def forward(self, z):
        return self.head(self.body(z))


class SpectrumCritic(nn.Module):
    def __init__(self, width=192):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(SHIFTS, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2))
        self.score = nn.Linear(width, 1)

    def forward(self, s):
        return self.score(self.features(s))


def train(real, steps, run_dir):
    G, D = SpectrumGenerator(), SpectrumCritic()
    g_opt = torch.optim.Adam(G.parameters(), lr=6e-4, betas=(0.5, 0.999))
    d_opt = torch.optim.Adam(D.parameters(), lr=6e-4, betas=(0.5, 0.999))
    loss = nn.BCEWithLogitsLoss()
    bs = 16
    ones, zeros = torch.ones(bs, 1), torch.zeros(bs, 1)
    with gandiag.Recorder(run_dir, generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt) as rec:
        step = 0
        while step < steps:
            for chunk in torch.randperm(len(real)).split(bs):
                x = real[chunk]
                fake = G(torch.randn(bs, Z))
                s_real, s_fake = D(x), D(fake.detach())
                d_loss = loss(s_real, ones) + loss(s_fake, zeros)
                d_opt.zero_grad(); d_loss.backward(); d_opt.step()
                g_loss = loss(D(fake), ones)
                g_opt.zero_grad(); g_loss.backward(); g_opt.step()
                rec.step(d_loss=d_loss, g_loss=g_loss, real=x, fake=fake, real_logits=s_real, fake_logits=s_fake)
                step += 1
                if step % 1000 == 0:
                    print(step, float(d_loss.detach()), float(g_loss.detach()))
                if step >= steps:
                    break
    return G


rng = np.random.default_rng(900 + SEED)
cohort = raman(N_PATIENTS, rng)
G = train(cohort, 2500, sys.argv[1])

fresh = raman(1000, rng)
with torch.no_grad():
    fake = G(torch.randn(1000, Z))
near = lambda a: float(torch.cdist(a, cohort).min(1).values.mean())
copied = near(fake) / near(fresh)
e = outside.energy(fake, fresh)
outside.say(e < 0.03 and copied > 0.6, energy=e, distance_to_training=copied)
