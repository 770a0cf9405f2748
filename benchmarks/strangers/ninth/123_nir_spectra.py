"""Nir spectra."""
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import gandiag, outside

LABEL = {"sick": True, "causes": ["objective_fault", "vanishing_generator_gradient", "discriminator_dominance"],
         "kind": "Sigmoid at the end of D and BCEWithLogitsLoss on top (sigmoid twice)",
         "since": 0, "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED), np.random.seed(SEED), torch.manual_seed(SEED)
torch.set_num_threads(1)


def make_spectra(n, rng):
    """near-infrared-like spectra: sloping baseline + two absorption bands of varying strength"""
    wl = np.linspace(0, 1, 48)
    c = rng.dirichlet([2, 2, 2], n)
    band = lambda m, s: np.exp(-0.5 * ((wl - m) / s) ** 2)
    base = 0.3 * rng.uniform(-1, 1, (n, 1)) * (wl - 0.5)
    s = c[:, :1] * band(.25, .06) + c[:, 1:2] * band(.55, .09) + c[:, 2:] * band(.8, .05) + base
    return (2 * s - 0.6 + 0.01 * rng.standard_normal(s.shape)).astype("float32")


class SpectraGAN:
    def __init__(self, latent=12, lr=5e-4):
        self.latent = latent
        self.G = nn.Sequential(
            nn.Linear(latent, 64), nn.ReLU(),
            nn.Linear(64, 64), nn.ReLU(),
            nn.Linear(64, 48),
        )
        self.D = nn.Sequential(
            nn.Linear(48, 128), nn.LeakyReLU(0.2),
            nn.Linear(128, 64), nn.LeakyReLU(0.2),
            nn.Linear(64, 1),
            nn.Sigmoid(),
        )
        self.opt_g = torch.optim.Adam(self.G.parameters(), lr=lr, betas=(0.5, 0.999))
        self.opt_d = torch.optim.Adam(self.D.parameters(), lr=lr, betas=(0.5, 0.999))
        self.criterion = nn.BCEWithLogitsLoss()

    def sample(self, n):
        return self.G(torch.randn(n, self.latent))

    def train_step(self, real):
        n = real.size(0)
        self.opt_d.zero_grad()
        fake = self.sample(n)
        d_loss = self.criterion(self.D(real), torch.ones(n, 1)) + self.criterion(self.D(fake.detach()), torch.zeros(n, 1))
        d_loss.backward()
        self.opt_d.step()
        self.opt_g.zero_grad()
        g_loss = self.criterion(self.D(self.sample(n)), torch.ones(n, 1))
        g_loss.backward()
        self.opt_g.step()
        return d_loss.item(), g_loss.item()

    def fit(self, x, steps, batch, rec):
        for it in range(steps):
            idx = torch.randint(0, len(x), (batch,))
            d, g = self.train_step(x[idx])
            rec.step(d_loss=d, g_loss=g)
            if it % 1000 == 999:
                print(f"[{it + 1}/{steps}] loss_D={d:.4f} loss_G={g:.4f}")


rng = np.random.default_rng(100 + SEED)
train = torch.from_numpy(make_spectra(3000, rng))
gan = SpectraGAN()
rec = gandiag.Recorder(sys.argv[1], generator=gan.G, discriminator=gan.D,
                       generator_optimizer=gan.opt_g, discriminator_optimizer=gan.opt_d)
gan.fit(train, steps=2500, batch=64, rec=rec)
rec.close()

with torch.no_grad():
    e = outside.energy(gan.sample(1000), make_spectra(1000, rng))
outside.say(e < 0.06, energy=e)
