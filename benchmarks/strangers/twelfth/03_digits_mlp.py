"""Coursework: handwritten 8x8 digits with a plain fully connected GAN."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance"], "kind": "images left at 0..16 while the generator ends in tanh", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np, torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

latent_dim = 24
images = torch.tensor(load_digits().data, dtype=torch.float32)
images = images
loader = DataLoader(TensorDataset(images), batch_size=64, shuffle=True, drop_last=True)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(latent_dim, 128), nn.BatchNorm1d(128), nn.LeakyReLU(0.2),
                                   nn.Linear(128, 128), nn.BatchNorm1d(128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.Tanh())

    def forward(self, z):
        return self.model(z)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(64, 1), nn.Sigmoid())

    def forward(self, x):
        return self.model(x)


G, D = Generator(), Discriminator()
bce = nn.BCELoss()
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.999))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, discriminator_output="probability")
for epoch in range(100):
    for (real,) in loader:
        valid, fake_lab = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        gen = G(torch.randn(len(real), latent_dim))
        d_opt.zero_grad()
        d_loss = (bce(D(real), valid * 0.9) + bce(D(gen.detach()), fake_lab)) / 2
        d_loss.backward()
        d_opt.step()
        g_opt.zero_grad()
        g_loss = bce(D(gen), valid)
        g_loss.backward()
        g_opt.step()
        rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()

G.eval()
with torch.no_grad():
    s = G(torch.randn(1000, latent_dim))
e = outside.energy(s, images[torch.randperm(len(images))[:1000]])
classes, ratio, _ = outside.digit_quality(s if images.min() < 0 else s / 8 - 1)
outside.say(e < 0.06 and classes >= 8 and ratio < 1.5, energy=e, classes=classes, ratio=ratio)
