"""GAN for synthetic wine samples (assignment 4, generative models for tabular data)."""
import os
import sys
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_wine

import gandiag
import outside

LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "raw wine columns (up to 1680) against a generator that ends in tanh", "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

LATENT, HIDDEN, EPOCHS, BATCH = 24, 96, 450, 32


class WineGenerator(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.inp = nn.Linear(LATENT, HIDDEN)
        self.mid = nn.Linear(HIDDEN, HIDDEN)
        self.out = nn.Linear(HIDDEN, n_features)

    def forward(self, z):
        h = torch.relu(self.inp(z))
        h = torch.relu(self.mid(h)) + h
        return torch.tanh(self.out(h))


class WineDiscriminator(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_features, HIDDEN), nn.LeakyReLU(0.2), nn.Dropout(0.2),
            nn.Linear(HIDDEN, HIDDEN), nn.LeakyReLU(0.2), nn.Dropout(0.2),
            nn.Linear(HIDDEN, 1), nn.Sigmoid())

    def forward(self, x):
        return self.layers(x)


def load():
    X = load_wine().data.astype("float32")
    return X


X = load()
loader = DataLoader(TensorDataset(torch.from_numpy(X)), batch_size=BATCH, shuffle=True, drop_last=True)
G, D = WineGenerator(X.shape[1]), WineDiscriminator(X.shape[1])
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.99))
d_opt = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.99))
bce = nn.BCELoss()
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt,
                       discriminator_optimizer=d_opt, discriminator_output="probability")

for epoch in range(EPOCHS):
    for (real,) in loader:
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        fake = G(torch.randn(len(real), LATENT))

        d_opt.zero_grad()
        d_loss = bce(D(real), ones * 0.9) + bce(D(fake.detach()), zeros)
        d_loss.backward()
        d_opt.step()

        g_opt.zero_grad()
        g_loss = bce(D(fake), ones)
        g_loss.backward()
        g_opt.step()

        rec.step(d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)
rec.close()

G.eval()
with torch.no_grad():
    synth = G(torch.randn(1000, LATENT)).numpy()
sd = X.std(0)
e = outside.energy(synth / sd, X / sd)
outside.say(e < 0.2, energy=e)
