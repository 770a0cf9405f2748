"""StyleGAN2-like training at toy size: mapping network with truncation, style mixing, lazy R1, slow EMA; 2-D 'checkerboard' points instead of faces."""
import os, random, copy
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import outside

LABEL = {"sick": False, "causes": [], "kind": "lazy R1 every 16 steps, D with a higher rate than G, style mixing, b1 = 0, losses hover near 2 log 2 from the first steps on", "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def checkerboard(n):
    c = np.random.randint(0, 8, n)
    i, j = c // 2, (c % 2) * 2 + (c // 2) % 2
    p = np.stack([i + np.random.rand(n), j + np.random.rand(n)], 1) - 2
    return torch.tensor(p, dtype=torch.float32)


class Mapping(nn.Module):
    def __init__(self, z=8, w=32, n=2):
        super().__init__()
        l = []
        for k in range(n):
            l += [nn.Linear(z if k == 0 else w, w), nn.LeakyReLU(.2)]
        self.l = nn.Sequential(*l)
        self.register_buffer("w_avg", torch.zeros(w))

    def forward(self, z, psi=1.):
        w = self.l(F.normalize(z, dim=1) * z.shape[1] ** .5)
        if self.training:
            self.w_avg.lerp_(w.detach().mean(0), .01)
        return self.w_avg + psi * (w - self.w_avg)


class Synthesis(nn.Module):
    def __init__(self, w=32, h=96, n=3):
        super().__init__()
        self.start = nn.Parameter(torch.randn(1, h))
        self.fc = nn.ModuleList(nn.Linear(h, h) for _ in range(n))
        self.style = nn.ModuleList(nn.Linear(w, h) for _ in range(n))
        self.shift = nn.ModuleList(nn.Linear(w, h) for _ in range(n))
        self.out = nn.Linear(h, 2)

    def forward(self, ws):
        h = self.start.expand(len(ws[0]), -1)
        for f, s, b, w in zip(self.fc, self.style, self.shift, ws):
            h = F.leaky_relu(f(h) * (1 + s(w)) + b(w), .2)
        return self.out(h)


class StyleG(nn.Module):
    def __init__(self):
        super().__init__()
        self.mapping, self.synthesis = Mapping(), Synthesis()

    def forward(self, z, z2=None, psi=1.):
        w = self.mapping(z, psi)
        if z2 is None:
            return self.synthesis([w] * 3)
        cut = random.randint(1, 2)
        return self.synthesis([w] * cut + [self.mapping(z2, psi)] * (3 - cut))


def noise(n): return torch.randn(n, 8), (torch.randn(n, 8) if random.random() < .5 else None)

gen = StyleG()
disc = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(.2), nn.Linear(128, 128), nn.LeakyReLU(.2), nn.Linear(128, 1))
ema = copy.deepcopy(gen).eval()
reg_every, gamma = 16, .02
c = reg_every / (reg_every + 1)
g_optim = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0., .99))
d_optim = torch.optim.Adam(disc.parameters(), lr=2e-3 * c, betas=(0., .99 ** c))

for i in range(1700):
    x = checkerboard(192)
    with torch.no_grad():
        fake = gen(*noise(192))
    d_loss = F.softplus(disc(fake)).mean() + F.softplus(-disc(x)).mean()
    d_optim.zero_grad(); d_loss.backward(); d_optim.step()
    if i % reg_every == 0:
        x.requires_grad_()
        r1 = torch.autograd.grad(disc(x).sum(), x, create_graph=True)[0].pow(2).sum(1).mean()
        d_optim.zero_grad(); (gamma / 2 * r1 * reg_every).backward(); d_optim.step()
    g_loss = F.softplus(-disc(gen(*noise(192)))).mean()
    g_optim.zero_grad(); g_loss.backward(); g_optim.step()
    with torch.no_grad():
        for a, b in zip(ema.parameters(), gen.parameters()): a.lerp_(b, .005)
        ema.mapping.w_avg.copy_(gen.mapping.w_avg)
    if i % 700 == 0: print(i, round(d_loss.item(), 3), round(g_loss.item(), 3))

with torch.no_grad():
    s = ema(torch.randn(2000, 8))
ij = (s + 2).floor()
inside = (((ij.sum(1) % 2) == 0) & (ij >= 0).all(1) & (ij < 4).all(1)).float().mean().item()
e = outside.energy(s, checkerboard(1000))
outside.say(e < 0.02 and inside > .7, energy=e, inside=inside)
