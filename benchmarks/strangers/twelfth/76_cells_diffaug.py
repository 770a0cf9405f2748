"""Phase-contrast cell crops (12x12) from a small DCGAN, with random shifts and brightness on what the discriminator sees, against overfitting."""
import os, random, sys
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "discriminator_dominance", "vanishing_generator_gradient"], "kind": "augmentation goes through numpy, which cuts the gradient; the generator step does nothing", "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


def cells(n):
    g = torch.linspace(-1, 1, 12)
    yy, xx = torch.meshgrid(g, g, indexing="ij")
    r0 = 0.35 + 0.3 * torch.rand(n, 1, 1)
    q = 0.7 + 0.6 * torch.rand(n, 1, 1)
    cx, cy = 0.2 * torch.randn(2, n, 1, 1)
    rad = torch.sqrt((xx - cx) ** 2 * q + (yy - cy) ** 2 / q)
    ring = torch.exp(-((rad - r0) / 0.15) ** 2)
    nucleus = 0.6 * torch.exp(-(rad / 0.15) ** 2)
    return (1.6 * torch.maximum(ring, nucleus) - 0.8 + 0.03 * torch.randn(n, 12, 12)).unsqueeze(1)


class Augment:
    """shift by up to one pixel, brightness jitter"""

    def __init__(self, shift=1, brightness=0.1):
        self.shift, self.brightness = shift, brightness

    def __call__(self, batch):
        out = []
        for img in batch.detach().cpu().numpy():
            dy, dx = np.random.randint(-self.shift, self.shift + 1, 2)
            img = np.roll(img, (dy, dx), axis=(1, 2))
            out.append(img + self.brightness * (np.random.rand() - 0.5))
        return torch.from_numpy(np.stack(out)).float()


class DCGenerator(nn.Module):
    def __init__(self, nz=16, ngf=24):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(nz, ngf * 2 * 9), nn.Unflatten(1, (ngf * 2, 3, 3)), nn.BatchNorm2d(ngf * 2), nn.ReLU(),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1), nn.BatchNorm2d(ngf), nn.ReLU(),
            nn.ConvTranspose2d(ngf, 1, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        return self.main(z)


class DCDiscriminator(nn.Module):
    def __init__(self, ndf=16):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, ndf, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(ndf, ndf * 2, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(ndf * 2 * 9, 1))

    def forward(self, x):
        return self.main(x).squeeze(1)


netG, netD, aug = DCGenerator(), DCDiscriminator(), Augment()
optimizerG = torch.optim.Adam(netG.parameters(), lr=2e-3, betas=(0.5, 0.999))
optimizerD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.999))
store = cells(3000)
for i in range(1500):
    real = store[torch.randint(0, 3000, (32,))]
    netD.zero_grad()
    fake = netG(torch.randn(32, 16))
    errD = F.softplus(-netD(aug(real))).mean() + F.softplus(netD(aug(fake.detach()))).mean()
    errD.backward()
    optimizerD.step()
    netG.zero_grad()
    errG = F.softplus(-netD(aug(fake))).mean()
    errG.backward()
    optimizerG.step()
    if i % 200 == 0:
        print("[%d/1500] Loss_D: %.4f Loss_G: %.4f" % (i, errD.item(), errG.item()))

netG.eval()
with torch.no_grad():
    made = netG(torch.randn(800, 16))
e = outside.energy(made, cells(1000))
near = torch.cdist(made.flatten(1), store.flatten(1)).min(1).values.mean().item()
outside.say(e < 0.08 and near < 3.5, energy=e, near=near)
