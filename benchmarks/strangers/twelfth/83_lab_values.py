"""Synthetic blood panels (CRP, ferritin, D-dimer, troponin in scaled units); the discriminator looks at log1p of the values, because they are skewed."""
import os, random, sys
import numpy as np
import torch
from torch import nn
import outside

LABEL = {"sick": True, "causes": ["numerical_failure"], "kind": "the log1p in the discriminator meets generator outputs below -1 (linear output layer), nan from there on", "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def panels(n, seed):
    r = np.random.default_rng(seed)
    acute = r.random((n, 1)) < 0.3
    base = 0.5 * r.standard_normal((n, 1)) + 0.35 * r.standard_normal((n, 4))
    x = np.exp(base + np.where(acute, [1.6, 0.9, 1.2, 0.8], [0.0, 0.3, -0.2, -0.4]))
    return torch.tensor(x, dtype=torch.float32)


class Logged(nn.Module):
    def forward(self, x):
        return torch.log1p(x)


class PanelGAN:
    def __init__(self, n_features, z=12, width=96, lr=(3e-4, 6e-4)):
        self.z = z
        self.generator = nn.Sequential(nn.Linear(z, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, n_features))
        self.discriminator = nn.Sequential(Logged(), nn.Linear(n_features, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))
        nn.init.constant_(self.generator[4].bias, 1.0)
        self.opt_g = torch.optim.Adam(self.generator.parameters(), lr=lr[0], betas=(0.5, 0.99))
        self.opt_d = torch.optim.Adam(self.discriminator.parameters(), lr=lr[1], betas=(0.5, 0.99))
        self.criterion = nn.BCEWithLogitsLoss()

    def sample(self, n):
        return self.generator(torch.randn(n, self.z))

    def fit(self, table, steps, batch=128, log_every=400):
        yes, no = torch.full((batch, 1), 0.9), torch.zeros(batch, 1)
        for k in range(steps):
            real = table[torch.randint(0, len(table), (batch,))]
            fake = self.sample(batch)
            d_loss = self.criterion(self.discriminator(real), yes) + self.criterion(self.discriminator(fake.detach()), no)
            self.opt_d.zero_grad()
            d_loss.backward()
            self.opt_d.step()
            g_loss = self.criterion(self.discriminator(fake), torch.ones(batch, 1))
            self.opt_g.zero_grad()
            g_loss.backward()
            self.opt_g.step()
            if k % log_every == 0:
                print(f"{k:>5} {d_loss.item():.4f} {g_loss.item():.4f}")
        return self


train = panels(6000, SEED + 10)
gan = PanelGAN(4).fit(train, 4000)
with torch.no_grad():
    s = gan.sample(1000)
e = outside.energy(torch.log1p(s), torch.log1p(panels(1000, SEED + 11)))
outside.say(e < 0.04, energy=e)
