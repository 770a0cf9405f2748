"""Only 120 sky photos (here: synthetic 8x8 sunsets): differentiable augmentation and R1 to make do with little data."""
LABEL = {"sick": False, "causes": [], "kind": "120 training images only, but augmentation on both sides and R1 let it cover the law without copying", "since": None, "record": "automatic"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside
from gandiag.recording import Recorder

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)


def sunsets(n):
    """grey 8x8 skies: a sun (gaussian blob) above a horizon whose height varies; mirror-symmetric law"""
    yy, xx = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    cx = 1.5 + 4 * torch.rand(n, 1, 1)
    cy = 1.0 + 2.5 * torch.rand(n, 1, 1)
    horizon = 4.5 + 2 * torch.rand(n, 1, 1)
    sun = torch.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / 3.0)
    sea = torch.sigmoid(3 * (yy - horizon))
    x = -0.8 + 1.6 * sun * (1 - sea) + 0.9 * sea
    return (x + 0.04 * torch.randn(n, 8, 8)).unsqueeze(1)


def mirror(x):
    """the law is symmetric: mirror half of the photos"""
    return torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)


def augment(x):
    """jitter the brightness a little (real and fake alike)"""
    return x + 0.1 * torch.randn(len(x), 1, 1, 1)


class G_net(nn.Module):
    def __init__(self, nz):
        super().__init__()
        self.nz = nz
        self.net = nn.Sequential(nn.Linear(nz, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 64))

    def forward(self, n):
        return self.net(torch.randn(n, self.nz)).view(n, 1, 8, 8)


class D_net(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, 96), nn.LeakyReLU(0.2), nn.Linear(96, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, x):
        return self.net(x)


def run(steps=2600, batch=32, gamma=0.03):
    photos = sunsets(120)
    G, D = G_net(6), D_net()
    opt_g = torch.optim.Adam(G.parameters(), 8e-4, betas=(0.0, 0.99))
    opt_d = torch.optim.Adam(D.parameters(), 8e-4, betas=(0.0, 0.99))
    recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)
    for t in range(steps):
        real = augment(mirror(photos[torch.randperm(120)[:batch]])).requires_grad_(True)
        fake = G(batch)
        lr_, lf = D(real), D(augment(fake.detach()))
        grad = torch.autograd.grad(lr_.sum(), real, create_graph=True)[0]
        loss_d = F.softplus(-lr_).mean() + F.softplus(lf).mean() + gamma / 2 * grad.square().sum((1, 2, 3)).mean()
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()
        loss_g = F.softplus(-D(augment(fake))).mean()
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
        if t % 500 == 0:
            print(t, round(loss_d.item(), 3), round(loss_g.item(), 3))
    recorder.close()
    return G, photos


G, photos = run()
with torch.no_grad():
    s = G(1000)
fresh = sunsets(1000)
both = torch.cat([photos, photos.flip(3)]).flatten(1)
novelty = (torch.cdist(s.flatten(1), both).min(1).values.mean() / torch.cdist(fresh.flatten(1), both).min(1).values.mean()).item()
e = outside.energy(s, fresh)
outside.say(e < 0.05 and novelty > 0.7, energy=e, novelty=novelty)
