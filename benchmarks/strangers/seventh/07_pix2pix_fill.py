"""Tiny pix2pix: outline -> filled drawing (16x16)."""
import argparse
import os
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import outside

LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "inputs and targets come from two loaders that shuffle independently: the pairs do not belong together",
         "since": 0, "record": "attach"}

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "0")))
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--lambda_l1", type=float, default=20.0)
opt = parser.parse_args()

random.seed(opt.seed); np.random.seed(opt.seed); torch.manual_seed(opt.seed)
torch.set_num_threads(1)


def make_pairs(n):
    yy, xx = np.mgrid[:16, :16]
    a, b = -np.ones((n, 1, 16, 16), np.float32), -np.ones((n, 3, 16, 16), np.float32)
    for i in range(n):
        cy, cx = np.random.uniform(5, 11, 2)
        r = np.random.uniform(2.5, 5)
        kind = np.random.randint(2)
        d = (np.hypot(yy - cy, xx - cx) if kind == 0 else abs(yy - cy) + abs(xx - cx)) - r
        a[i, 0][abs(d) < 0.8] = 1
        inside = d < 0
        b[i, kind][inside] = 1                      # discs red, diamonds green
        b[i, 2][inside] = (yy[inside] - 7.5) / 8    # shaded from top to bottom
    return torch.from_numpy(a), torch.from_numpy(b)


class UNet(nn.Module):
    def __init__(self, c=16):
        super().__init__()
        self.d1 = nn.Sequential(nn.Conv2d(1, c, 4, 2, 1), nn.LeakyReLU(0.2))
        self.d2 = nn.Sequential(nn.Conv2d(c, 2 * c, 4, 2, 1), nn.InstanceNorm2d(2 * c), nn.LeakyReLU(0.2))
        self.d3 = nn.Sequential(nn.Conv2d(2 * c, 2 * c, 4, 2, 1), nn.ReLU())
        self.u3 = nn.Sequential(nn.ConvTranspose2d(2 * c, 2 * c, 4, 2, 1), nn.InstanceNorm2d(2 * c), nn.ReLU())
        self.u2 = nn.Sequential(nn.ConvTranspose2d(4 * c, c, 4, 2, 1), nn.InstanceNorm2d(c), nn.ReLU())
        self.u1 = nn.Sequential(nn.ConvTranspose2d(2 * c, 3, 4, 2, 1), nn.Tanh())

    def forward(self, x):
        e1 = self.d1(x)
        e2 = self.d2(e1)
        h = self.u3(self.d3(e2))
        h = self.u2(torch.cat([h, e2], 1))
        return self.u1(torch.cat([h, e1], 1))


class PatchD(nn.Module):
    def __init__(self, c=24):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(4, c, 4, 2, 1), nn.LeakyReLU(0.2),
                                  nn.Conv2d(c, 2 * c, 3, 1, 1), nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2),
                                  nn.Conv2d(2 * c, 1, 3, 1, 1))

    def forward(self, a, b):
        return self.body(torch.cat((a, b), 1))


A, B = make_pairs(1500)
loader_A = DataLoader(TensorDataset(A), batch_size=opt.batch, shuffle=True, drop_last=True)
loader_B = DataLoader(TensorDataset(B), batch_size=opt.batch, shuffle=True, drop_last=True)

G, D = UNet(), PatchD()
opt_G = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_D = torch.optim.Adam(D.parameters(), lr=4e-4, betas=(0.5, 0.999))
gan, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()

for epoch in range(opt.epochs):
    for (real_A,), (real_B,) in zip(loader_A, loader_B):
        fake_B = G(real_A)
        opt_D.zero_grad()
        pr, pf = D(real_A, real_B), D(real_A, fake_B.detach())
        loss_D = 0.5 * (gan(pr, torch.ones_like(pr)) + gan(pf, torch.zeros_like(pf)))
        loss_D.backward()
        opt_D.step()

        opt_G.zero_grad()
        pf = D(real_A, fake_B)
        loss_G = gan(pf, torch.ones_like(pf)) + opt.lambda_l1 * l1(fake_B, real_B)
        loss_G.backward()
        opt_G.step()
    if epoch % 5 == 0:
        print("epoch %d  D %.3f  G %.3f" % (epoch, loss_D.item(), loss_G.item()))

tA, tB = make_pairs(300)
with torch.no_grad():
    err = (G(tA) - tB).abs().mean().item()
    base = (B.mean(0) - tB).abs().mean().item()
outside.say(err < 0.4 * base, l1=err, l1_of_mean_image=base)
