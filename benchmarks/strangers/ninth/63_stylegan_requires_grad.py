"""
stylegan_mini: mapping network, modulated layers, R1, EMA. Derived from a lab fork of stylegan2-pytorch.
Images: 12x12 drawings of a soft disc with random position, radius and brightness.
"""
import os, sys, copy, math, random, types
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault"],
         "kind": "requires_grad is switched off on D for G's first step and never on again: D stays frozen from step 1 on",
         "since": 0, "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

cfg = types.SimpleNamespace(z=16, w=32, res=12, batch=16, kimg=8, lr=2e-3, r1_gamma=0.3, d_reg_every=4, ema=0.99)

def draw(n, res=cfg.res):
    g = np.stack(np.meshgrid(np.arange(res), np.arange(res)), -1)[None].astype("float32")
    c = np.random.uniform(3.5, res - 4.5, (n, 1, 1, 2)); r = np.random.uniform(1.6, 3.2, (n, 1, 1)); b = np.random.uniform(.5, 1, (n, 1, 1))
    d = np.sqrt(((g - c) ** 2).sum(-1))
    img = b / (1 + np.exp(3 * (d - r)))
    return torch.tensor(img[:, None] * 2 - 1, dtype=torch.float32)

class EqualLinear(nn.Module):
    def __init__(self, i, o, lr_mul=1., bias_init=0.):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(o, i) / lr_mul)
        self.bias = nn.Parameter(torch.full((o,), float(bias_init)))
        self.scale, self.lr_mul = lr_mul / math.sqrt(i), lr_mul
    def forward(self, x):
        return F.linear(x, self.weight * self.scale, self.bias * self.lr_mul)

class StyledConv(nn.Module):
    def __init__(self, i, o, wdim, up=False):
        super().__init__()
        self.conv = nn.Conv2d(i, o, 3, padding=1)
        self.style = EqualLinear(wdim, i, bias_init=1.)
        self.noise = nn.Parameter(torch.zeros(1)); self.up = up
    def forward(self, x, w):
        x = x * self.style(w)[:, :, None, None]
        if self.up: x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        x = self.conv(x)
        x = x * torch.rsqrt(x.pow(2).mean([1, 2, 3], keepdim=True) + 1e-6)
        x = x + self.noise * torch.randn_like(x[:, :1])
        return F.leaky_relu(x, .2) * 1.4

class SynthesisNet(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.mapping = nn.Sequential(EqualLinear(c.z, c.w, .1), nn.LeakyReLU(.2), EqualLinear(c.w, c.w, .1), nn.LeakyReLU(.2))
        self.const = nn.Parameter(torch.randn(1, 32, 3, 3))
        self.layers = nn.ModuleList([StyledConv(32, 32, c.w), StyledConv(32, 20, c.w, True), StyledConv(20, 16, c.w, True)])
        self.to_rgb = nn.Conv2d(16, 1, 1)
    def forward(self, z):
        w = self.mapping(z * torch.rsqrt(z.pow(2).mean(1, keepdim=True) + 1e-8))
        h = self.const.expand(len(z), -1, -1, -1)
        for l in self.layers: h = l(h, w)
        return self.to_rgb(h)

class Disc(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.LeakyReLU(.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(.2),
                               nn.Conv2d(32, 48, 4, 2, 1), nn.LeakyReLU(.2))
        self.fc = nn.Sequential(nn.Linear(48 * 9 + 1, 64), nn.LeakyReLU(.2), nn.Linear(64, 1))
    def forward(self, x):
        h = self.c(x)
        sd = h.std(0, unbiased=False).mean().expand(len(x), 1)
        return self.fc(torch.cat([h.flatten(1), sd], 1))

def requires_grad(model, flag=True):
    for p in model.parameters():
        p.requires_grad = flag

G, D = SynthesisNet(cfg), Disc()
G_ema = copy.deepcopy(G).eval()
g_opt = torch.optim.Adam(G.parameters(), cfg.lr, betas=(0., .99))
d_opt = torch.optim.Adam(D.parameters(), cfg.lr * 0.8, betas=(0., .99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)

for it in range(cfg.kimg * 1000 // cfg.batch):
    x = draw(cfg.batch)
    z = torch.randn(cfg.batch, cfg.z)
    d_loss = F.softplus(D(G(z))).mean() + F.softplus(-D(x)).mean()
    total = d_loss
    if it % cfg.d_reg_every == 0:
        xr = x.clone().requires_grad_(True)
        grad, = torch.autograd.grad(D(xr).sum(), xr, create_graph=True)
        total = total + cfg.r1_gamma / 2 * grad.pow(2).sum([1, 2, 3]).mean() * cfg.d_reg_every
    d_opt.zero_grad(); total.backward(); d_opt.step()

    requires_grad(D, False)
    g_loss = F.softplus(-D(G(torch.randn(cfg.batch, cfg.z)))).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    with torch.no_grad():
        for p, q in zip(G_ema.parameters(), G.parameters()):
            p.lerp_(q, 1 - cfg.ema)
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()

with torch.no_grad():
    s = G_ema(torch.randn(1000, cfg.z))
e = outside.energy(s, draw(1000))
mass, mass_r = (s + 1).sum([1, 2, 3]), (draw(1000) + 1).sum([1, 2, 3])
outside.say(e < 0.12, energy=e, mass=mass.mean().item(), mass_real=mass_r.mean().item())
