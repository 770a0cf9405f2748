"""LSGAN for fabric swatches: 250 photographs of weave, enlarged by shifts and brightness (DiffAugment), CycleGAN-style schedule."""
LABEL = {"sick": False, "causes": [], "kind": "few pictures but both sides augmented, label noise, an image pool of old fakes for D, and a linear decay of the rate to zero so that updates die away at the end", "since": None, "record": "attach"}

import os
import random

import torch
import torch.nn as nn

import outside


def swatches(n):
    """A periodic weave on a torus of 8x8 pixels: the cut shifts, the thread ratio and the contrast vary."""
    k = torch.arange(8.0)
    y, x = torch.meshgrid(k, k, indexing="ij")
    px, py = 2.0 * torch.rand(2, n, 1, 1)
    contrast = 0.5 + 0.4 * torch.rand(n, 1, 1)
    balance = 0.3 + 0.4 * torch.rand(n, 1, 1)
    w = 6.2832 / 8
    return (contrast * (balance * torch.cos(w * x + px) + (1 - balance) * torch.cos(w * y + py))).unsqueeze(1)


def diff_augment(x):
    """The same kinds of change for real and fake, differentiable: roll, brightness."""
    sy, sx = random.randint(-1, 1), random.randint(-1, 1)
    x = torch.roll(x, (sy, sx), dims=(2, 3))
    return x + 0.1 * torch.randn(len(x), 1, 1, 1)


class ImagePool:
    def __init__(self, size=100):
        self.size, self.images = size, []

    def query(self, batch):
        out = []
        for img in batch:
            if len(self.images) < self.size:
                self.images.append(img)
                out.append(img)
            elif random.random() < 0.3:
                j = random.randrange(self.size)
                out.append(self.images[j])
                self.images[j] = img
            else:
                out.append(img)
        return torch.stack(out)


class Weaver(nn.Module):
    def __init__(self, nz=10):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear(nz, 128), nn.ELU(), nn.Linear(128, 128), nn.ELU(), nn.Linear(128, 64), nn.Tanh())

    def forward(self, z):
        return self.seq(z).view(-1, 1, 8, 8)


class Inspector(nn.Module):
    def __init__(self):
        super().__init__()
        self.seq = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, x):
        return self.seq(x)


class LSGAN:
    def __init__(self, data, total=3800, lr=1e-3):
        self.data, self.total, self.pool = data, total, ImagePool()
        self.netG, self.netD = Weaver(), Inspector()
        self.optG = torch.optim.Adam(self.netG.parameters(), lr=lr, betas=(0.5, 0.99))
        self.optD = torch.optim.Adam(self.netD.parameters(), lr=lr, betas=(0.5, 0.99))
        rule = lambda s: min(1.0, 2 * (1 - s / total))
        self.schedulers = [torch.optim.lr_scheduler.LambdaLR(o, rule) for o in (self.optG, self.optD)]

    def step(self, n=64):
        real = self.data[torch.randint(len(self.data), (n,))]
        fake = self.netG(torch.randn(n, 10))
        old = self.pool.query(fake.detach())
        real_target = 0.9 + 0.2 * torch.rand(n, 1)
        fake_target = -0.1 + 0.2 * torch.rand(n, 1)
        r = diff_augment(real).requires_grad_(True)
        pred = self.netD(r)
        slope, = torch.autograd.grad(pred.sum(), r, create_graph=True)
        self.lossD = 0.5 * ((pred - real_target) ** 2).mean() + 0.5 * ((self.netD(diff_augment(old)) - fake_target) ** 2).mean() + 0.005 * slope.square().sum((1, 2, 3)).mean()
        self.optD.zero_grad()
        self.lossD.backward()
        self.optD.step()

        self.lossG = 0.5 * ((self.netD(diff_augment(fake)) - 1) ** 2).mean()
        self.optG.zero_grad()
        self.lossG.backward()
        self.optG.step()
        for s in self.schedulers:
            s.step()

    def train(self):
        for i in range(self.total):
            self.step()
            if i % 500 == 0:
                print(f"[{i}/{self.total}] D {self.lossD.item():.3f} G {self.lossG.item():.3f} lr {self.optG.param_groups[0]['lr']:.1e}")


if __name__ == "__main__":
    SEED = int(os.environ.get("SEED", "0"))
    random.seed(SEED)
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    photos = swatches(250)
    model = LSGAN(photos)
    model.train()
    with torch.no_grad():
        made = model.netG(torch.randn(1000, 10))
    unseen = swatches(1000)
    e = outside.energy(made, unseen)
    flat = lambda a: a.flatten(1)
    copied = (torch.cdist(flat(made), flat(photos)).min(1).values.mean() / torch.cdist(flat(unseen), flat(photos)).min(1).values.mean()).item()
    outside.say(e < 0.05 and copied > 0.75, energy=e, copied=copied)
