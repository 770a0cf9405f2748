"""Gan digits fork."""
# Simple GAN, digits. Fork of my lecture notebook.
import os, random
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
import outside

LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "generator ends in a Sigmoid (0..1) while the images are normalised to -1..1",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

Z_DIM = 16
BATCH = 40
LR = 6e-4

X = load_digits().images.astype(np.float32) / 16.0
X = (X - 0.5) / 0.5                       # like transforms.Normalize((0.5,), (0.5,))
X = torch.from_numpy(X).reshape(-1, 64)
loader = DataLoader(TensorDataset(X), batch_size=BATCH, shuffle=True, drop_last=True)

gen = nn.Sequential(
    nn.Linear(Z_DIM, 128), nn.BatchNorm1d(128), nn.ReLU(),
    nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU(),
    nn.Linear(128, 64), nn.Sigmoid())
disc = nn.Sequential(
    nn.Linear(64, 192), nn.LeakyReLU(0.1),
    nn.Linear(192, 96), nn.LeakyReLU(0.1),
    nn.Linear(96, 1))
opt_gen = torch.optim.Adam(gen.parameters(), lr=LR, betas=(0.5, 0.999))
opt_disc = torch.optim.Adam(disc.parameters(), lr=LR, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()

for epoch in range(26):
    for (real,) in loader:
        noise = torch.randn(BATCH, Z_DIM)
        fake = gen(noise)
        disc_real = disc(real).view(-1)
        disc_fake = disc(fake.detach()).view(-1)
        loss_disc = (bce(disc_real, torch.ones_like(disc_real)) + bce(disc_fake, torch.zeros_like(disc_fake))) / 2
        disc.zero_grad()
        loss_disc.backward()
        opt_disc.step()

        output = disc(fake).view(-1)
        loss_gen = bce(output, torch.ones_like(output))
        gen.zero_grad()
        loss_gen.backward()
        opt_gen.step()
    if epoch % 8 == 0:
        print(f"Epoch {epoch} loss D {loss_disc:.3f} loss G {loss_gen:.3f}")

with torch.no_grad():
    out = gen(torch.randn(1000, Z_DIM))
e = outside.energy(out, X[torch.randperm(len(X))])
cls, near, _ = outside.digit_quality(out)
outside.say(e < 0.2, energy=e, classes=cls, near=near)
