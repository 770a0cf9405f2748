"""Air quality."""
# coding: utf-8
# # Synthetic air-quality records
# We have hourly readings of a street station and want to share a synthetic copy of the table.

import os, random
import numpy as np
import pandas as pd
import torch
from torch import nn
from sklearn.preprocessing import StandardScaler
import outside

LABEL = {"sick": True, "causes": ["numerical_failure", "data_mismatch"],
         "kind": "missing values (NaN) of the table are fed to the nets", "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

# ## 1. Load the readings

def read_station(hours=3000, seed=2):
    r = np.random.default_rng(seed)
    h = np.arange(hours)
    temp = 12 + 8 * np.sin(2 * np.pi * h / 24) + 3 * r.standard_normal(hours)
    traffic = 1 + np.cos(2 * np.pi * (h - 8) / 12) ** 2 + 0.3 * r.random(hours)
    df = pd.DataFrame({
        "temp": temp,
        "humidity": 70 - 1.4 * temp + 6 * r.standard_normal(hours),
        "co": 0.5 * traffic + 0.1 * r.standard_normal(hours),
        "nox": 60 * traffic + 14 * r.standard_normal(hours),
        "o3": 45 + 2.1 * temp - 12 * traffic + 5 * r.standard_normal(hours),
        "pm10": np.exp(2.5 + 0.3 * traffic + 0.3 * r.standard_normal(hours)),
    })
    for c in ("nox", "o3", "pm10"):
        df.loc[r.choice(hours, 90, replace=False), c] = np.nan
    return df

df = read_station()
df = df[df["co"] > 0]
print(df.describe().loc[["mean", "std"]].round(2).to_string())

# ## 2. Scale

scaler = StandardScaler()
X = torch.tensor(scaler.fit_transform(df), dtype=torch.float32)

# ## 3. The nets (least squares GAN)

class Block(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(n, n), nn.LeakyReLU(0.1), nn.Linear(n, n))
    def forward(self, x):
        return x + self.f(x)

gen = nn.Sequential(nn.Linear(10, 48), Block(48), nn.LeakyReLU(0.1), nn.Linear(48, 6))
dis = nn.Sequential(nn.Linear(6, 64), nn.LeakyReLU(0.1), Block(64), nn.LeakyReLU(0.1), nn.Linear(64, 1))
opt_gen = torch.optim.AdamW(gen.parameters(), lr=8e-4, betas=(0.5, 0.99), weight_decay=1e-4)
opt_dis = torch.optim.AdamW(dis.parameters(), lr=8e-4, betas=(0.5, 0.99), weight_decay=1e-4)

# ## 4. Train

batch = 128
for epoch in range(70):
    perm = torch.randperm(len(X))
    for k in range(0, len(X) - batch + 1, batch):
        xb = X[perm[k:k + batch]]
        xf = gen(torch.randn(batch, 10))

        opt_dis.zero_grad()
        l_dis = ((dis(xb) - 1).pow(2) + dis(xf.detach()).pow(2)).mean()
        l_dis.backward()
        opt_dis.step()

        opt_gen.zero_grad()
        l_gen = (dis(xf) - 1).pow(2).mean()
        l_gen.backward()
        opt_gen.step()

# ## 5. Compare

with torch.no_grad():
    synthetic = gen(torch.randn(1000, 10))
e = outside.energy(synthetic, scaler.transform(df.dropna().sample(1000, random_state=0)))
outside.say(e < 0.06, energy=e)
