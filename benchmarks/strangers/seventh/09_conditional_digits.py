"""Conditional GAN on the UCI digits: embed the label, let G and D see it."""
import os
import random
import sys

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

import gandiag
import outside

LABEL = {"sick": True, "causes": ["data_mismatch"],
         "kind": "only the images are permuted at the start of an epoch, not the labels: labels do not match the images",
         "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

X, y = load_digits(return_X_y=True)
X = (X.reshape(-1, 1, 8, 8) / 8.0 - 1).astype("float32")


class CondG(nn.Module):
    def __init__(self, nz=24, emb=10):
        super().__init__()
        self.emb = nn.Embedding(10, emb)
        self.body = nn.Sequential(
            nn.Linear(nz + emb, 32 * 4 * 4), nn.BatchNorm1d(512), nn.ReLU(),
            nn.Unflatten(1, (32, 4, 4)),
            nn.ConvTranspose2d(32, 32, 4, 2, 1), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 1, 3, 1, 1), nn.Tanh())

    def forward(self, z, c):
        return self.body(torch.cat([z, self.emb(c)], dim=1))


class CondD(nn.Module):
    """the label becomes an extra channel"""
    def __init__(self):
        super().__init__()
        self.plane = nn.Embedding(10, 64)
        self.body = nn.Sequential(
            nn.Conv2d(2, 32, 3, 1, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(32, 48, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(48 * 16, 1), nn.Sigmoid())

    def forward(self, x, c):
        return self.body(torch.cat([x, self.plane(c).view(-1, 1, 8, 8)], dim=1))


G, D = CondG(), CondD()
d_optimizer = torch.optim.Adam(D.parameters(), lr=4e-4, betas=(0.5, 0.999))
g_optimizer = torch.optim.Adam(G.parameters(), lr=8e-4, betas=(0.5, 0.999))
bce = nn.BCELoss()
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_optimizer,
                       discriminator_optimizer=d_optimizer, discriminator_output="probability")

batch = 64
for epoch in range(20):
    order = np.random.permutation(len(X))
    X = X[order]
    for s in range(0, len(X) - batch, batch):
        xb = torch.from_numpy(X[s:s + batch])
        yb = torch.from_numpy(y[s:s + batch])
        one, zero = torch.ones(batch, 1), torch.zeros(batch, 1)

        z = torch.randn(batch, 24)
        fake = G(z, yb)
        d_real = D(xb, yb)
        d_fake = D(fake.detach(), yb)
        d_loss = bce(d_real, one * 0.9) + bce(d_fake, zero)
        D.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        g_loss = bce(D(fake, yb), one)
        G.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()

want = torch.arange(1000) % 10
with torch.no_grad():
    out = G(torch.randn(1000, 24), want)
classes, ratio, acc = outside.digit_quality(out, want)
outside.say(acc > 0.5, accuracy=acc, classes=classes, ratio=ratio)
