"""Synthetic wine tables for a statistics class: five standardised columns, hinge loss."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "vanishing_generator_gradient"], "kind": "the detached fake batch is reused in the generator step: G receives no gradient at all", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

cols = [0, 1, 6, 9, 12]
table = torch.tensor(StandardScaler().fit_transform(load_wine().data[:, cols]), dtype=torch.float32)


class TableGAN:
    def __init__(self, n_cols, noise=8, hidden=128, lr=5e-4):
        self.noise = noise
        self.gen = nn.Sequential(nn.Linear(noise, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, n_cols))
        self.disc = nn.Sequential(nn.Linear(n_cols, hidden), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(hidden, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1))
        self.gen_opt = torch.optim.Adam(self.gen.parameters(), lr=lr, betas=(0.5, 0.9))
        self.disc_opt = torch.optim.Adam(self.disc.parameters(), lr=lr, betas=(0.5, 0.9))

    def sample(self, n):
        return self.gen(torch.randn(n, self.noise))

    def fit(self, data, steps=4000, batch=96):
        for i in range(steps):
            real = data[torch.randint(len(data), (batch,))]
            fake = self.sample(batch).detach()
            self.disc_opt.zero_grad()
            d = torch.relu(1 - self.disc(real)).mean() + torch.relu(1 + self.disc(fake)).mean()
            d.backward()
            self.disc_opt.step()

            self.gen_opt.zero_grad()
            g = -self.disc(fake).mean()
            g.backward()
            self.gen_opt.step()
            if i % 500 == 0:
                print(f"step {i:5d}  disc {d.item():.3f}  gen {g.item():.3f}")
        return self


model = TableGAN(len(cols)).fit(table)
with torch.no_grad():
    s = model.sample(1000)
e = outside.energy(s, table)
outside.say(e < 0.04, energy=e)
