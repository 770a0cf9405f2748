"""Data-efficient digits: 300 images only, differentiable augmentation (translation, cutout, brightness) on both real and fake."""
import os, random, sys
import numpy as np, torch
import torch.nn as nn, torch.nn.functional as F
import outside

LABEL = {"sick": False, "causes": [], "kind": "healthy, differentiable augmentation applied to both sides with 300 images", "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def rand_translation(x):
    b, _, h, w = x.shape
    pad = F.pad(x, (1, 1, 1, 1), value=-1.0)
    ty, tx = torch.randint(0, 3, (2, b))
    rows = (torch.arange(h)[None] + ty[:, None])[:, :, None]
    cols = (torch.arange(w)[None] + tx[:, None])[:, None, :]
    return pad[torch.arange(b)[:, None, None], 0, rows, cols].unsqueeze(1)


def rand_cutout(x, size=2):
    b, _, h, w = x.shape
    cy, cx = torch.randint(0, h - size + 1, (b, 1, 1)), torch.randint(0, w - size + 1, (b, 1, 1))
    yy, xx = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    hole = (yy >= cy) & (yy < cy + size) & (xx >= cx) & (xx < cx + size)
    return x * (~hole).float().unsqueeze(1)


def rand_brightness(x):
    return x + 0.3 * (torch.rand(len(x), 1, 1, 1) - 0.5)


def T(x, policy=(rand_brightness, rand_translation, rand_cutout)):
    for f in policy:
        x = f(x)
    return x


all_images, _ = outside.digits()
few = all_images[torch.randperm(len(all_images))[:300]]


class G8(nn.Module):
    def __init__(self, z=24):
        super().__init__()
        self.l = nn.Sequential(nn.Linear(z, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 32 * 16), nn.BatchNorm1d(512), nn.ReLU(), nn.Unflatten(1, (32, 4, 4)),
                               nn.Upsample(scale_factor=2), nn.Conv2d(32, 24, 3, 1, 1), nn.BatchNorm2d(24), nn.ReLU(), nn.Conv2d(24, 1, 3, 1, 1), nn.Tanh())

    def forward(self, z):
        return self.l(z)


D = nn.Sequential(nn.Conv2d(1, 32, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 48, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(48 * 16, 1))
G = G8()
og = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
od = torch.optim.Adam(D.parameters(), lr=7e-4, betas=(0.5, 0.999))
for i in range(1500):
    x = few[torch.randint(0, 300, (32,))]
    f = G(torch.randn(32, 24))
    ld = F.relu(1 - D(T(x))).mean() + F.relu(1 + D(T(f.detach()))).mean()
    od.zero_grad(); ld.backward(); od.step()
    lg = -D(T(f)).mean()
    og.zero_grad(); lg.backward(); og.step()
    if i % 300 == 0:
        print(i, ld.item(), lg.item())
with torch.no_grad():
    made = G(torch.randn(600, 24))
classes, near, _ = outside.digit_quality(made)
e = outside.energy(made, all_images)
outside.say(classes >= 9 and e < 0.08 and near < 1.8, classes=classes, near=near, energy=e)
