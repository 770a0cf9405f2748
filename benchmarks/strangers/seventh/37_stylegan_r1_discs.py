"""A little StyleGAN2 look-alike: mapping net, modulated convs, noise, R1 every 4th step, minibatch std, EMA."""
import copy, os, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

LABEL = {"sick": False, "causes": [], "kind": "StyleGAN-like with lazy R1: spikes in D's loss each fourth step, samples taken from the EMA net", "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


def discs(n):
    y, x = torch.meshgrid(torch.arange(8.), torch.arange(8.), indexing="ij")
    p = lambda a, b: torch.empty(n, 1, 1).uniform_(a, b)
    d = ((y - p(2.5, 4.5)) ** 2 + (x - p(2.5, 4.5)) ** 2).sqrt() - p(1.5, 3)
    m = torch.sigmoid(-3 * d).unsqueeze(1)
    warm = (torch.rand(n, 1, 1, 1) < 0.5).float()
    fg = warm * torch.tensor([.9, .4, .1]).view(1, 3, 1, 1) + (1 - warm) * torch.tensor([.1, .6, .8]).view(1, 3, 1, 1)
    return (m * fg + (1 - m) * (0.9 - 0.7 * warm)) * 2 - 1


class ModConv(nn.Module):
    def __init__(self, i, o, w):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(o, i, 3, 3) / (i * 9) ** 0.5)
        self.style = nn.Linear(w, i)
        nn.init.ones_(self.style.bias)
        self.bias, self.noise = nn.Parameter(torch.zeros(1, o, 1, 1)), nn.Parameter(torch.zeros(1))

    def forward(self, x, w):
        s = self.style(w)
        demod = torch.rsqrt(((s ** 2) @ (self.weight ** 2).sum((2, 3)).t()) + 1e-8)
        x = F.conv2d(x * s[:, :, None, None], self.weight, padding=1) * demod[:, :, None, None]
        x = x + self.noise * torch.randn(x.size(0), 1, *x.shape[2:]) + self.bias
        return F.leaky_relu(x, 0.2) * 2 ** 0.5


class Synth(nn.Module):
    def __init__(self, w=32, c=32):
        super().__init__()
        self.map = nn.Sequential(nn.Linear(w, w), nn.LeakyReLU(0.2), nn.Linear(w, w), nn.LeakyReLU(0.2))
        self.const = nn.Parameter(torch.randn(1, c, 4, 4))
        self.a, self.b = ModConv(c, c, w), ModConv(c, c, w)
        self.rgb = nn.Conv2d(c, 3, 1)

    def forward(self, z):
        w = self.map(z * torch.rsqrt(z.pow(2).mean(1, keepdim=True) + 1e-8))
        h = self.a(self.const.expand(len(z), -1, -1, -1), w)
        h = self.b(F.interpolate(h, scale_factor=2, mode="bilinear", align_corners=False), w)
        return self.rgb(h)


class Disc(nn.Module):
    def __init__(self, c=32):
        super().__init__()
        self.c1, self.c2, self.c3 = nn.Conv2d(3, c, 3, 1, 1), nn.Conv2d(c, c, 4, 2, 1), nn.Conv2d(c + 1, c, 3, 1, 1)
        self.fc = nn.Sequential(nn.Linear(c * 16, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, x):
        h = F.leaky_relu(self.c2(F.leaky_relu(self.c1(x), 0.2)), 0.2)
        sd = (h.var(0, unbiased=False) + 1e-8).sqrt().mean().expand(len(x), 1, 4, 4)
        h = F.leaky_relu(self.c3(torch.cat([h, sd], 1)), 0.2)
        return self.fc(h.flatten(1))


g, d = Synth(), Disc()
g_ema = copy.deepcopy(g).requires_grad_(False)
g_optim = torch.optim.Adam(g.parameters(), lr=2e-3, betas=(0.0, 0.99))
d_optim = torch.optim.Adam(d.parameters(), lr=2e-3, betas=(0.0, 0.99))
for i in range(420):
    real = discs(32)
    fake = g(torch.randn(32, 32)).detach()
    d_loss = F.softplus(-d(real)).mean() + F.softplus(d(fake)).mean()
    if i % 4 == 0:
        real.requires_grad_(True)
        grad, = torch.autograd.grad(d(real).sum(), real, create_graph=True)
        d_loss = d_loss + 4 * 0.5 * grad.pow(2).flatten(1).sum(1).mean()
    d_optim.zero_grad()
    d_loss.backward()
    d_optim.step()

    g_loss = F.softplus(-d(g(torch.randn(32, 32)))).mean()
    g_optim.zero_grad()
    g_loss.backward()
    g_optim.step()
    with torch.no_grad():
        for p, q in zip(g_ema.parameters(), g.parameters()):
            p.lerp_(q, 0.02)

with torch.no_grad():
    e = outside.energy(g_ema(torch.randn(1000, 32)), discs(1000))
outside.say(e < 0.1, energy=e)
