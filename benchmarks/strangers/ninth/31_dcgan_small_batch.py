"""Dcgan small batch."""
# dcgan.py - digits, 8x8.  My laptop is slow so batch is 16.
import os, random
import numpy as np
import torch
import torch.nn as nn
import outside

LABEL = {"sick": False, "causes": [], "kind": "DCGAN on digits with batches of 16 and BatchNorm in D: very noisy losses, good digits",
         "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

BATCH_SIZE = 16
Z = 20
ITERS = 1000

imgs, _ = outside.digits()


class Gen(nn.Module):
    def __init__(self, f=16):
        super().__init__()
        self.net = nn.Sequential(
            self._block(Z, f * 4, 2, 1, 0),     # 2x2
            self._block(f * 4, f * 2, 4, 2, 1), # 4x4
            nn.ConvTranspose2d(f * 2, 1, 4, 2, 1),
            nn.Tanh())

    def _block(self, i, o, k, s, p):
        return nn.Sequential(nn.ConvTranspose2d(i, o, k, s, p, bias=False), nn.BatchNorm2d(o), nn.ReLU())

    def forward(self, x):
        return self.net(x)


class Dis(nn.Module):
    def __init__(self, f=16):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, f, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(f, f * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(f * 2), nn.LeakyReLU(0.2),
            nn.Conv2d(f * 2, 1, 2))

    def forward(self, x):
        return self.net(x).reshape(-1)


G, D = Gen(), Dis()
optD = torch.optim.Adam(D.parameters(), lr=6e-4, betas=(0.5, 0.999))
optG = torch.optim.Adam(G.parameters(), lr=2e-3, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()

for it in range(ITERS):
    real = imgs[torch.randint(0, len(imgs), (BATCH_SIZE,))]
    fake = G(torch.randn(BATCH_SIZE, Z, 1, 1))
    d_real = D(real)
    d_fake = D(fake.detach())
    d_loss = bce(d_real, torch.ones(BATCH_SIZE)) + bce(d_fake, torch.zeros(BATCH_SIZE))
    optD.zero_grad()
    d_loss.backward()
    optD.step()

    g_loss = bce(D(fake), torch.ones(BATCH_SIZE))
    optG.zero_grad()
    g_loss.backward()
    optG.step()
    if it % 500 == 0:
        print(it, d_loss.item(), g_loss.item())

with torch.no_grad():
    x = G(torch.randn(1000, Z, 1, 1))
e = outside.energy(x, imgs[torch.randperm(len(imgs))])
classes, near, _ = outside.digit_quality(x)
outside.say(e < 0.05 and classes >= 9, energy=e, classes=classes, near=near)
