"""Mini StyleGAN: mapping network, AdaIN synthesis from a learnt constant, per-pixel noise, lazy R1 and EMA, on 8x8 pictures of one bright and one dark blob."""
LABEL = {"sick": False, "causes": [], "kind": "healthy StyleGAN-like training with lazy R1 (loss spikes every 8 steps)", "since": None, "record": "attach"}
import copy, os, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import outside
SEED = int(os.environ.get("SEED", "0")); random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

g = torch.arange(8.)
def blobs(n):
    def one(k):
        cy, cx = torch.randint(1, 4, (k, 1, 1)) * 2. - .5, torch.randint(1, 4, (k, 1, 1)) * 2. - .5
        s = .9 + .3 * torch.rand(k, 1, 1)
        return torch.exp(-((g[None, :, None] - cy) ** 2 + (g[None, None] - cx) ** 2) / (2 * s ** 2))
    return (one(n) - one(n)).clamp(-1, 1)[:, None] + .02 * torch.randn(n, 1, 8, 8)

class EqualLinear(nn.Module):
    def __init__(self, i, o, lr_mul=1., bias=0.):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(o, i) / lr_mul), nn.Parameter(torch.full((o,), bias / lr_mul))
        self.scale, self.lr_mul = lr_mul / i ** .5, lr_mul
    def forward(self, x): return F.linear(x, self.weight * self.scale, self.bias * self.lr_mul)

class StyledConv(nn.Module):
    def __init__(self, c, w):
        super().__init__()
        self.conv, self.style, self.noise = nn.Conv2d(c, c, 3, padding=1), EqualLinear(w, 2 * c), nn.Parameter(torch.zeros(1, c, 1, 1))
    def forward(self, x, w):
        x = F.leaky_relu(self.conv(x) + self.noise * torch.randn(len(x), 1, *x.shape[2:]), .2)
        m, b = self.style(w)[:, :, None, None].chunk(2, 1)
        return F.instance_norm(x) * (1 + m) + b

class StyleG(nn.Module):
    def __init__(self, nz=32, w=48, c=32):
        super().__init__()
        self.mapping = nn.Sequential(EqualLinear(nz, w, .1), nn.LeakyReLU(.2), EqualLinear(w, w, .1), nn.LeakyReLU(.2), EqualLinear(w, w, .1), nn.LeakyReLU(.2))
        self.const = nn.Parameter(torch.randn(1, c, 4, 4))
        self.a, self.b, self.c_ = StyledConv(c, w), StyledConv(c, w), StyledConv(c, w)
        self.rgb = nn.Conv2d(c, 1, 1)
    def forward(self, z):
        w = self.mapping(z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt())
        h = self.a(self.const.expand(len(z), -1, -1, -1), w)
        return self.rgb(self.c_(self.b(F.interpolate(h, scale_factor=2, mode="bilinear"), w), w))

class D(nn.Module):
    def __init__(self, c=32):
        super().__init__()
        self.f = nn.Sequential(nn.Conv2d(1, c, 3, 1, 1), nn.LeakyReLU(.2), nn.Conv2d(c, 2 * c, 4, 2, 1), nn.LeakyReLU(.2), nn.Flatten(), nn.Linear(32 * c, 96), nn.LeakyReLU(.2))
        self.o = nn.Linear(97, 1)
    def forward(self, x):
        h = self.f(x)
        return self.o(torch.cat([h, h.std(0).mean().expand(len(h), 1)], 1))  # minibatch stddev

netG, netD = StyleG(), D(); netE = copy.deepcopy(netG)
oG, oD = torch.optim.Adam(netG.parameters(), 1.5e-3, (0., .99)), torch.optim.Adam(netD.parameters(), 1.5e-3, (0., .99))
X = blobs(5000); bs = 32
for i in range(1300):
    x = X[torch.randint(0, len(X), (bs,))]
    loss = F.softplus(-netD(x)).mean() + F.softplus(netD(netG(torch.randn(bs, 32)).detach())).mean()
    if i % 8 == 0:
        x.requires_grad_(True)
        gr, = torch.autograd.grad(netD(x).sum(), x, create_graph=True)
        loss = loss + .5 * 0.3 * 8 * gr.square().sum((1, 2, 3)).mean()
    oD.zero_grad(); loss.backward(); oD.step()
    loss = F.softplus(-netD(netG(torch.randn(bs, 32)))).mean()
    oG.zero_grad(); loss.backward(); oG.step()
    with torch.no_grad():
        for p, q in zip(netE.parameters(), netG.parameters()): p.lerp_(q, .01)
with torch.no_grad(): s = netE(torch.randn(1000, 32))
r = blobs(1000)
pos = s.flatten(1).argmax(1).bincount(minlength=64); want = r.flatten(1).argmax(1).bincount(minlength=64)
tv = float((pos - want).abs().sum()) / 2000
e = outside.energy(s, r)
outside.say(e < .05 and tv < .35, energy=e, bright_position_tv=tv)
