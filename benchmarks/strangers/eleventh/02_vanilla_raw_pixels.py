"""My first GAN: a two-layer MLP generator with tanh output, trained on load_digits."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance", "vanishing_generator_gradient", "stagnation"], "kind": "pixels left at 0..16 while the generator ends in tanh", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

PIX = 1.0
OFF = 0.0
X = load_digits().data.astype(np.float32)
X = X / PIX - OFF
X = torch.from_numpy(X)

latent_dim = 20
generator = nn.Sequential(nn.Linear(latent_dim, 128), nn.LeakyReLU(0.2), nn.Linear(128, 256), nn.BatchNorm1d(256), nn.LeakyReLU(0.2), nn.Linear(256, 64), nn.Tanh())
discriminator = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(64, 1), nn.Sigmoid())
loss_fn = nn.BCELoss()
opt_g = torch.optim.Adam(generator.parameters(), lr=5e-4, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(discriminator.parameters(), lr=5e-4, betas=(0.5, 0.999))

n = 64
for it in range(4000):
    idx = torch.randint(0, len(X), (n,))
    real = X[idx]
    ones, zeros = torch.ones(n, 1), torch.zeros(n, 1)
    # --- discriminator
    fake = generator(torch.randn(n, latent_dim))
    d_loss = (loss_fn(discriminator(real), ones) + loss_fn(discriminator(fake.detach()), zeros)) / 2
    opt_d.zero_grad(); d_loss.backward(); opt_d.step()
    # --- generator
    g_loss = loss_fn(discriminator(fake), ones)
    opt_g.zero_grad(); g_loss.backward(); opt_g.step()
    if it % 1000 == 0:
        print(it, d_loss.item(), g_loss.item())

with torch.no_grad():
    f = generator(torch.randn(1000, latent_dim))
e = outside.energy(f, X[torch.randperm(len(X))])
classes, ratio, _ = outside.digit_quality((f + OFF) * PIX / 8 - 1)
outside.say(e < 0.05 and classes >= 8 and ratio < 1.4, energy=e, classes=classes, ratio=ratio)
