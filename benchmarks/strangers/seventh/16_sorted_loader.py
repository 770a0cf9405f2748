# -*- coding: utf-8 -*-
"""GAN on coloured glyph pictures, WGAN with weight clipping -> later replaced by plain GAN loss."""
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader
import gandiag
import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "oscillation", "mode_dropping", "mode_collapse"],
         "kind": "the data set is sorted by class and the loader does not shuffle: D sees one class at a time and G runs after it",
         "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

CLASSES = ["disc", "frame", "cross", "bar", "wedge", "dots"]
HUES = [(1, .2, .2), (.2, 1, .2), (.3, .4, 1), (1, 1, .2), (1, .3, 1), (.2, 1, 1)]


def render(kind, dy, dx):
    y, x = np.mgrid[:10, :10] - 4.5
    y, x = y - dy, x - dx
    m = [x * x + y * y < 9, (np.maximum(abs(x), abs(y)) < 4) & (np.maximum(abs(x), abs(y)) > 2),
         ((abs(x) < 1.1) | (abs(y) < 1.1)) & (np.maximum(abs(x), abs(y)) < 4), (abs(y) < 1.6) & (abs(x) < 4.2),
         (y > -3) & (y < 3) & (abs(x) < (y + 3.4) * 0.7), (np.mod(x + 4.5, 4) < 2) & (np.mod(y + 4.5, 4) < 2)][kind]
    return m[None] * np.array(HUES[kind])[:, None, None]


class GlyphFolder(Dataset):
    """like torchvision's ImageFolder: walks the class folders one after the other"""
    def __init__(self, per_class=400):
        self.items, self.targets = [], []
        for k in range(len(CLASSES)):
            for _ in range(per_class):
                im = render(k, *np.random.uniform(-0.7, 0.7, 2)) * np.random.uniform(0.8, 1)
                self.items.append(torch.tensor(im * 2 - 1, dtype=torch.float32))
                self.targets.append(k)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i], self.targets[i]


class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(32, 40 * 25)
        self.b = nn.Sequential(nn.BatchNorm2d(40), nn.ReLU(), nn.ConvTranspose2d(40, 32, 2, 2), nn.BatchNorm2d(32), nn.ReLU(),
                               nn.Conv2d(32, 3, 3, padding=1), nn.Tanh())

    def forward(self, z):
        return self.b(self.a(z).reshape(len(z), 40, 5, 5))


class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(nn.Conv2d(3, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 48, 3, 2, 1), nn.LeakyReLU(0.2))
        self.b = nn.Linear(48 * 9, 1)

    def forward(self, x):
        return self.b(self.a(x).flatten(1))


dataset = GlyphFolder()
dataloader = DataLoader(dataset, batch_size=64, drop_last=True)
net_g, net_d = G(), D()
opt_g = torch.optim.Adam(net_g.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(net_d.parameters(), lr=5e-4, betas=(0.5, 0.999))
rec = gandiag.Recorder(sys.argv[1], generator=net_g, discriminator=net_d, generator_optimizer=opt_g, discriminator_optimizer=opt_d)
bce = nn.functional.binary_cross_entropy_with_logits
for epoch in range(12):
    for images, _ in dataloader:
        noise = torch.randn(images.shape[0], 32)
        fakes = net_g(noise)
        p, q = net_d(images), net_d(fakes.detach())
        d_loss = bce(p, torch.ones_like(p)) + bce(q, torch.zeros_like(q))
        opt_d.zero_grad(); d_loss.backward(); opt_d.step()
        q = net_d(fakes)
        g_loss = bce(q, torch.ones_like(q))
        opt_g.zero_grad(); g_loss.backward(); opt_g.step()
        rec.step(d_loss=d_loss, g_loss=g_loss, real=images, fake=fakes)
rec.close()

with torch.no_grad():
    out = net_g(torch.randn(1000, 32))
centres = np.stack([render(k, 0, 0) * 0.9 * 2 - 1 for k in range(6)])
found, near = outside.modes(out, centres, 9.0)
everything = torch.stack(dataset.items)[torch.randperm(len(dataset))]
e = outside.energy(out, everything)
outside.say(e < 0.035 and found >= 4, energy=e, modes=found, near=near, near_real=outside.modes(everything[:1000], centres, 9.0)[1])
