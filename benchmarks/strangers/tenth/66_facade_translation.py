"""
Label map -> image translation (pix2pix objective: cGAN + lambda * L1), 16x16 toy facades.
"""
import argparse
import os
import random
import sys

import numpy as np
import torch
import torch.nn as nn

import gandiag
import outside

LABEL = {"sick": True, "causes": ["data_mismatch"],
         "kind": "photos are shuffled on their own when the pairs are cached: maps and photos no longer belong together",
         "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

cfg = argparse.Namespace(size=16, n=480, batch=16, epochs=11, lr=6e-4, lam=20.0)
PALETTE = np.array([[0.75, 0.55, 0.35], [-0.6, -0.2, 0.6], [0.1, -0.7, -0.8]], "float32")  # wall, window, door


def draw_pair(rng):
    lab = np.zeros((cfg.size, cfg.size), int)
    for _ in range(rng.randint(1, 4)):
        r, c = rng.randint(0, 10), rng.randint(0, 13)
        lab[r:r + rng.randint(2, 5), c:c + rng.randint(2, 5)] = 1
    c = rng.randint(0, 12)
    lab[11:, c:c + 4] = 2
    img = PALETTE[lab]
    img = img + 0.12 * np.linspace(1, -1, cfg.size)[:, None, None] + 0.04 * rng.randn(cfg.size, cfg.size, 1)
    onehot = np.eye(3, dtype="float32")[lab]
    return onehot.transpose(2, 0, 1), np.clip(img, -1, 1).transpose(2, 0, 1).astype("float32")


class Facades(torch.utils.data.Dataset):
    def __init__(self, n, seed):
        rng = np.random.RandomState(seed)
        pairs = [draw_pair(rng) for _ in range(n)]
        self.maps = torch.tensor(np.stack([p[0] for p in pairs]))
        photos = torch.tensor(np.stack([p[1] for p in pairs]))
        self.photos = photos
        self.augment()

    def augment(self):
        flip = torch.rand(len(self.maps)) < 0.5
        self.maps[flip] = self.maps[flip].flip(3)
        self.photos[flip] = self.photos[flip].flip(3)
        photos = self.photos
        self.photos = photos[torch.randperm(len(photos))]

    def __len__(self):
        return len(self.maps)

    def __getitem__(self, i):
        return self.maps[i], self.photos[i]


def down(i, o, norm=True):
    return nn.Sequential(nn.Conv2d(i, o, 4, 2, 1), nn.InstanceNorm2d(o) if norm else nn.Identity(), nn.LeakyReLU(0.2))


class UNet(nn.Module):
    def __init__(self, f=12):
        super().__init__()
        self.d1, self.d2 = down(3, f, False), down(f, 2 * f)
        self.u2 = nn.Sequential(nn.ConvTranspose2d(2 * f, f, 4, 2, 1), nn.InstanceNorm2d(f), nn.ReLU(), nn.Dropout(0.1))
        self.u1 = nn.Sequential(nn.ConvTranspose2d(2 * f, f, 4, 2, 1), nn.ReLU())
        self.out = nn.Conv2d(f + 3, 3, 3, padding=1)

    def forward(self, m):
        a = self.d1(m)
        b = self.u2(self.d2(a))
        c = self.u1(torch.cat([a, b], 1))
        return torch.tanh(self.out(torch.cat([c, m], 1)))


class PatchD(nn.Module):
    def __init__(self, f=12):
        super().__init__()
        self.net = nn.Sequential(down(6, f, False), down(f, 2 * f), nn.Conv2d(2 * f, 1, 3, padding=1))

    def forward(self, m, img):
        return self.net(torch.cat([m, img], 1))


train_set = Facades(cfg.n, 7)
loader = torch.utils.data.DataLoader(train_set, cfg.batch, shuffle=True, drop_last=True)
netG, netD = UNet(), PatchD()
optG = torch.optim.Adam(netG.parameters(), lr=cfg.lr, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), lr=cfg.lr / 2, betas=(0.5, 0.999))
gan, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD,
                       generator_optimizer=optG, discriminator_optimizer=optD)

for epoch in range(cfg.epochs):
    for m, photo in loader:
        fake = netG(m)
        p_real, p_fake = netD(m, photo), netD(m, fake.detach())
        lossD = 0.5 * (gan(p_real, torch.ones_like(p_real)) + gan(p_fake, torch.zeros_like(p_fake)))
        optD.zero_grad(); lossD.backward(); optD.step()

        p = netD(m, fake)
        lossG = gan(p, torch.ones_like(p)) + cfg.lam * l1(fake, photo)
        optG.zero_grad(); lossG.backward(); optG.step()
        rec.step(d_loss=lossD, g_loss=lossG)
rec.close()

rng = np.random.RandomState(999)
val = [draw_pair(rng) for _ in range(100)]
m, t = torch.tensor(np.stack([v[0] for v in val])), torch.tensor(np.stack([v[1] for v in val]))
netG.eval()
with torch.no_grad():
    err = float((netG(m) - t).abs().mean())
outside.say(err < 0.1, l1=err)
