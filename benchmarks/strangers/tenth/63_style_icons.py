"""Tiny style-based generator (mapping network, AdaIN, noise) with minibatch stddev, trained on 14x14 icons."""
import os, random
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import outside

LABEL = {"sick": True, "causes": ["numerical_failure"],
         "kind": "minibatch standard deviation takes the square root of a variance that is exactly zero (constant border): nan gradients",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)
RES, ZD, WD, BS, KIMG = 14, 16, 32, 16, 9


def make_icons(n, seed=0):
    """discs, squares and crosses on an empty canvas"""
    r = np.random.RandomState(seed)
    yy, xx = np.mgrid[:RES, :RES]
    out = -np.ones((n, 1, RES, RES), "float32")
    for i in range(n):
        cy, cx, s = r.uniform(5.8, 7.2), r.uniform(5.8, 7.2), r.uniform(1.4, 2.2)
        k = r.randint(3)
        dy, dx = np.abs(yy - cy), np.abs(xx - cx)
        if k == 0:
            d = np.sqrt(dy ** 2 + dx ** 2)
        elif k == 1:
            d = np.maximum(dy, dx)
        else:
            d = np.minimum(dy, dx) + 1.2 + 9 * (np.maximum(dy, dx) > s + 1)
        out[i, 0] = np.clip(2 * (s - d) + 1, 0, 1) * 2 - 1
    return torch.tensor(out)


class AdaIN(nn.Module):
    def __init__(self, ch):
        super().__init__()
        self.affine = nn.Linear(WD, 2 * ch)
        self.strength = nn.Parameter(torch.zeros(ch, 1, 1))

    def forward(self, x, w):
        x = x + self.strength * torch.randn(len(x), 1, *x.shape[2:])
        a, b = self.affine(w)[:, :, None, None].chunk(2, 1)
        return F.instance_norm(x) * (1 + a) + b


class StyleG(nn.Module):
    def __init__(self, ch=16):
        super().__init__()
        self.mapping = nn.Sequential(nn.Linear(ZD, WD), nn.LeakyReLU(0.2), nn.Linear(WD, WD), nn.LeakyReLU(0.2))
        self.const = nn.Parameter(torch.randn(1, ch, 7, 7))
        self.n1, self.n2 = AdaIN(ch), AdaIN(ch)
        self.c1 = nn.Conv2d(ch, ch, 3, padding=1)
        self.to_img = nn.Conv2d(ch, 1, 3, padding=1)

    def forward(self, z):
        w = self.mapping(F.normalize(z, dim=1) * ZD ** 0.5)
        h = F.leaky_relu(self.n1(self.const.expand(len(z), -1, -1, -1), w), 0.2)
        h = F.interpolate(h, scale_factor=2, mode="bilinear", align_corners=False)
        h = F.leaky_relu(self.n2(self.c1(h), w), 0.2)
        return torch.tanh(self.to_img(h))


def minibatch_std(x):
    s = torch.sqrt(((x - x.mean(0, keepdim=True)) ** 2).mean(0))
    return torch.cat([x, s.mean().expand(len(x), 1, *x.shape[2:])], 1)


class StyleD(nn.Module):
    def __init__(self, ch=16):
        super().__init__()
        self.from_img = nn.Conv2d(1, ch, 3, padding=1)
        self.c1 = nn.Conv2d(ch, 2 * ch, 4, 2, 1)
        self.c2 = nn.Conv2d(2 * ch + 1, 2 * ch, 3, 2, 1)
        self.fc = nn.Linear(2 * ch * 16, 1)

    def forward(self, x):
        h = F.leaky_relu(self.from_img(x), 0.2)
        h = F.leaky_relu(self.c1(h), 0.2)
        h = F.leaky_relu(self.c2(minibatch_std(h)), 0.2)
        return self.fc(h.flatten(1))


data = make_icons(2000)
g, d = StyleG(), StyleD()
g_optim = torch.optim.Adam(g.parameters(), lr=2e-3, betas=(0.0, 0.99))
d_optim = torch.optim.Adam(d.parameters(), lr=1e-3, betas=(0.0, 0.99))

seen = 0
while seen < KIMG * 1000:
    real = data[torch.randint(len(data), (BS,))]
    fake = g(torch.randn(BS, ZD)).detach()
    real_req = real.clone().requires_grad_(seen % (BS * 16) == 0)
    out = d(real_req)
    loss = F.softplus(-out).mean() + F.softplus(d(fake)).mean()
    if real_req.requires_grad:      # lazy R1
        gr, = torch.autograd.grad(out.sum(), real_req, create_graph=True)
        loss = loss + 16 * 0.05 * gr.square().sum((1, 2, 3)).mean()
    d_optim.zero_grad()
    loss.backward()
    d_optim.step()

    loss_g = F.softplus(-d(g(torch.randn(BS, ZD)))).mean()
    g_optim.zero_grad()
    loss_g.backward()
    g_optim.step()
    seen += BS

with torch.no_grad():
    samples = g(torch.randn(1000, ZD))
e = outside.energy(samples, make_icons(1000, seed=5))
outside.say(e < 0.15, energy=e)
