"""
tabgan.py - small GAN for the customer table.
"""
import os, sys, random
import numpy as np
import pandas as pd
import torch
from torch import nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["numerical_failure", "data_mismatch"], "kind": "missing values of the table go into the batches as NaN", "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


def make_table(n=4000):
    rng = np.random.default_rng(11)
    age = rng.gamma(9, 4.5, n) + 17
    income = np.exp(rng.normal(10, 0.5, n) + 0.01 * (age - 45))
    visits = rng.poisson(1 + income / 20000)
    df = pd.DataFrame({"age": age, "income": income, "visits": visits.astype(float), "balance": rng.normal(0, 1, n) * income * 0.1})
    df.loc[rng.random(n) < 0.02, "income"] = np.nan
    return df


df = make_table()
df["income"] = np.log(df["income"])
df = (df - df.mean()) / df.std()
table = torch.tensor(df.to_numpy(), dtype=torch.float32)


class Residual(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.fc, self.bn = nn.Linear(i, o), nn.BatchNorm1d(o)

    def forward(self, x):
        return torch.cat([torch.relu(self.bn(self.fc(x))), x], 1)


generator = nn.Sequential(Residual(16, 64), Residual(80, 64), nn.Linear(144, 4))
discriminator = nn.Sequential(nn.Linear(4, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
opt_g = torch.optim.Adam(generator.parameters(), lr=5e-4, betas=(0.5, 0.9), weight_decay=1e-6)
opt_d = torch.optim.Adam(discriminator.parameters(), lr=5e-4, betas=(0.5, 0.9))
hinge = lambda s: torch.relu(1 - s).mean()

rec = gandiag.Recorder(sys.argv[1], generator=generator, discriminator=discriminator,
                       generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)
for epoch in range(20):
    for idx in torch.randperm(len(table)).split(100):
        real = table[idx]
        fake = generator(torch.randn(len(idx), 16))
        loss_d = hinge(discriminator(real)) + hinge(-discriminator(fake.detach()))
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()
        loss_g = -discriminator(fake).mean()
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
rec.close()

generator.eval()
with torch.no_grad():
    rows = generator(torch.randn(1000, 16))
e = outside.energy(rows, df.dropna().to_numpy())
outside.say(e < 0.1, energy=e)
