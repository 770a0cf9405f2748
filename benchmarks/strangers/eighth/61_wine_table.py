"""%% [markdown]."""
# Homework 4: a GAN that produces new chemical analyses of wines
# %%
import os, random
import numpy as np
import pandas as pd
import torch
from torch import nn
from sklearn.datasets import load_wine
import outside

LABEL = {"sick": True, "causes": ["data_mismatch"],
         "kind": "table in raw units (up to 1680) while the generator ends in tanh",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)
torch.set_num_threads(1)

# %% load
bunch = load_wine()
df = pd.DataFrame(bunch.data, columns=bunch.feature_names)
X = df.values.astype(np.float32)
n, d = X.shape

# %% models
gen = nn.Sequential(
    nn.Linear(16, 64), nn.BatchNorm1d(64), nn.LeakyReLU(0.2),
    nn.Linear(64, 128), nn.BatchNorm1d(128), nn.LeakyReLU(0.2),
    nn.Linear(128, d), nn.Tanh())
disc = nn.Sequential(
    nn.Linear(d, 128), nn.LeakyReLU(0.2), nn.Dropout(0.3),
    nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Dropout(0.3),
    nn.Linear(64, 1), nn.Sigmoid())

bce = nn.BCELoss()
opt_g = torch.optim.Adam(gen.parameters(), lr=2e-4, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(disc.parameters(), lr=2e-4, betas=(0.5, 0.999))

# %% training
BATCH = 32
for epoch in range(400):
    idx = np.random.permutation(n)
    for i in range(0, n - BATCH + 1, BATCH):
        xb = torch.from_numpy(X[idx[i:i + BATCH]])
        ones, zeros = torch.ones(len(xb), 1), torch.zeros(len(xb), 1)

        opt_d.zero_grad()
        z = torch.randn(len(xb), 16)
        xf = gen(z)
        loss_d = bce(disc(xb), ones) + bce(disc(xf.detach()), zeros)
        loss_d.backward()
        opt_d.step()

        opt_g.zero_grad()
        loss_g = bce(disc(xf), ones)
        loss_g.backward()
        opt_g.step()
    if epoch % 100 == 0:
        print(f"epoch {epoch}: D {loss_d.item():.3f}  G {loss_g.item():.3f}")

# %% evaluation: in units of each column's spread
gen.eval()
with torch.no_grad():
    samples = gen(torch.randn(1000, 16)).numpy()
mu, sd = df.values.mean(0), df.values.std(0)
e = outside.energy((samples - mu) / sd, (df.values - mu) / sd)
outside.say(e < 0.12, energy=e)
