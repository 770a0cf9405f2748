"""Synthetic patients: a small GAN for the breast cancer table (blog post code)."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault"],
         "kind": "D's optimizer was given G's parameters: D stays as initialised", "since": 0, "record": "attach"}
import os
import random

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn

import outside

SEED = int(os.environ.get("SEED", "0"))
for f in (random.seed, np.random.seed, torch.manual_seed):
    f(SEED)
torch.set_num_threads(1)

raw = load_breast_cancer(as_frame=True)
frame: pd.DataFrame = raw.data.iloc[:, :8]
scaler = StandardScaler()
table = torch.tensor(scaler.fit_transform(np.log1p(frame)), dtype=torch.float32)
n_features = table.shape[1]


class TableGenerator(nn.Module):
    def __init__(self, noise=10, width=64):
        super().__init__()
        self.noise = noise
        self.inp = nn.Linear(noise, width)
        self.res = nn.ModuleList([nn.Linear(width, width) for _ in range(2)])
        self.head = nn.Linear(width, n_features)

    def forward(self, n):
        h = self.inp(torch.randn(n, self.noise))
        for layer in self.res:
            h = h + torch.relu(layer(h))
        return self.head(h)


class TableCritic(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_features, width), nn.LeakyReLU(0.2), nn.Dropout(0.1),
                                  nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(width, 1))

    def forward(self, x):
        return self.body(x).squeeze(1)


def make_optimizer(net, lr):
    return torch.optim.Adam(net.parameters(), lr=lr, betas=(0.5, 0.99), weight_decay=1e-5)


generator = TableGenerator()
discriminator = TableCritic()
opt_generator = make_optimizer(generator, 1e-3)
opt_discriminator = make_optimizer(generator, 1e-3)
loss_fn = nn.BCEWithLogitsLoss()


def train_discriminator(real):
    opt_discriminator.zero_grad()
    discriminator.zero_grad()
    fake = generator(len(real)).detach()
    loss = loss_fn(discriminator(real), torch.full((len(real),), 0.9)) + loss_fn(discriminator(fake), torch.zeros(len(real)))
    loss.backward()
    opt_discriminator.step()
    return loss.item()


def train_generator(n):
    opt_generator.zero_grad()
    loss = loss_fn(discriminator(generator(n)), torch.ones(n))
    loss.backward()
    opt_generator.step()
    return loss.item()


history = []
for epoch in range(170):
    perm = torch.randperm(len(table))
    for chunk in perm.split(64)[:-1]:
        history.append((train_discriminator(table[chunk]), train_generator(64)))
    if epoch % 50 == 0:
        print(epoch, history[-1])

with torch.no_grad():
    synthetic = generator(569)
e = outside.energy(synthetic, table)
outside.say(e < 0.12, energy=e)
