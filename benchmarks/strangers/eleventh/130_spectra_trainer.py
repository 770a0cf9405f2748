"""Trainer for synthetic 32-channel emission spectra with hinge loss and a spectrally normalised 1-D conv critic."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation"], "kind": "copy-paste: the generator's optimizer holds the discriminator's parameters", "since": 0, "record": "attach"}
import os
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


def spectra(n):
    w = np.linspace(0, 1, 32)[None]
    c1, c2 = np.random.uniform(.15, .4, (n, 1)), np.random.uniform(.6, .85, (n, 1))
    h = np.random.uniform(.4, 1, (n, 2))
    s = h[:, :1] * np.exp(-((w - c1) / .06) ** 2) + h[:, 1:] * np.exp(-((w - c2) / .1) ** 2) + .02 * np.random.randn(n, 32)
    return torch.tensor(s, dtype=torch.float32)


class SpectraGAN:
    def __init__(self, latent=12, lr=5e-4):
        self.latent = latent
        self.generator = nn.Sequential(nn.Linear(latent, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 32))
        self.discriminator = nn.Sequential(
            nn.Unflatten(1, (1, 32)),
            spectral_norm(nn.Conv1d(1, 24, 5, 2, 2)), nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv1d(24, 48, 5, 2, 2)), nn.LeakyReLU(0.2),
            nn.Flatten(), spectral_norm(nn.Linear(48 * 8, 96)), nn.LeakyReLU(0.2), spectral_norm(nn.Linear(96, 1)))
        self.optimizer_d = torch.optim.Adam(self.discriminator.parameters(), lr=2 * lr, betas=(0.0, 0.9))
        self.optimizer_g = torch.optim.Adam(self.discriminator.parameters(), lr=lr, betas=(0.0, 0.9))
        self.history = []

    def sample(self, n):
        return self.generator(torch.randn(n, self.latent))

    def train_step(self, real):
        n = len(real)
        self.optimizer_d.zero_grad()
        ld = F.relu(1 - self.discriminator(real)).mean() + F.relu(1 + self.discriminator(self.sample(n).detach())).mean()
        ld.backward()
        self.optimizer_d.step()

        self.optimizer_g.zero_grad()
        lg = -self.discriminator(self.sample(n)).mean()
        lg.backward()
        self.optimizer_g.step()
        self.history.append((ld.item(), lg.item()))

    def fit(self, data, iterations, batch=64):
        for _ in range(iterations):
            self.train_step(data[torch.randint(0, len(data), (batch,))])
        return self


if __name__ == "__main__":
    data = spectra(4000)
    gan = SpectraGAN().fit(data, 2500)
    with torch.no_grad():
        fake = gan.sample(1000)
    e = outside.energy(fake, spectra(1000))
    rough = lambda t: float((t[:, 1:] - t[:, :-1]).abs().mean())
    outside.say(e < 0.05, energy=e, roughness=rough(fake) / rough(data))
