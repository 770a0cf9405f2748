"""Sets of twelve points on random ellipses; generator and discriminator with attention. Augmented by rotations of the set."""
LABEL = {"sick": False, "causes": [], "kind": "healthy GAN on sets of points with attention and augmentation of reals and fakes alike", "since": None, "record": "automatic"}
import os, sys, math
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, outside

torch.manual_seed(int(os.environ.get("SEED", "0")))
torch.set_num_threads(1)
N, W = 12, 32

def ellipses(b):
    t = torch.sort(torch.rand(b, N) * 2 * math.pi, dim=1).values
    a, q, phi = 0.6 + 0.5 * torch.rand(b, 1), 0.4 + 0.5 * torch.rand(b, 1), math.pi * torch.rand(b, 1)
    x, y = a * t.cos(), a * q * t.sin()
    return torch.stack([x * phi.cos() - y * phi.sin(), x * phi.sin() + y * phi.cos()], -1) + 0.03 * torch.randn(b, N, 2)

def rotate(x):
    k = torch.rand(len(x), 1) * 2 * math.pi
    c, s = k.cos(), k.sin()
    return torch.stack([x[..., 0] * c - x[..., 1] * s, x[..., 0] * s + x[..., 1] * c], -1)

class Attend(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.qkv, self.mix = nn.Linear(w, 3 * w), nn.Linear(w, w)
        self.ff = nn.Sequential(nn.LayerNorm(w), nn.Linear(w, 2 * w), nn.GELU(), nn.Linear(2 * w, w))
        self.norm = nn.LayerNorm(w)
    def forward(self, x):
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        x = x + self.mix(F.scaled_dot_product_attention(q, k, v))
        return x + self.ff(x)

class SetGenerator(nn.Module):
    def __init__(self, z=8):
        super().__init__()
        self.z = z
        self.inp = nn.Linear(z + 4, W)
        self.att = Attend(W)
        self.out = nn.Sequential(nn.Linear(W, W), nn.GELU(), nn.Linear(W, 2))
    def forward(self, z, e):
        h = torch.cat([z[:, None].expand(-1, N, -1), e], -1)
        return self.out(self.att(self.inp(h)))

class SetDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Sequential(nn.Linear(2, W), nn.GELU())
        self.att = Attend(W)
        self.out = nn.Sequential(nn.Linear(2 * W, 48), nn.GELU(), nn.Linear(48, 1))
    def forward(self, x):
        h = self.att(self.inp(x))
        return self.out(torch.cat([h.mean(1), h.amax(1)], 1))

g, d = SetGenerator(), SetDiscriminator()
og = torch.optim.Adam(g.parameters(), 1e-3, betas=(0.0, 0.99))
od = torch.optim.Adam(d.parameters(), 1e-3, betas=(0.0, 0.99))

def make(b):
    return g(torch.randn(b, g.z), torch.randn(b, N, 4))

def loop(steps=850, b=48):
    for _ in range(steps):
        x, y = rotate(ellipses(b)).requires_grad_(), rotate(make(b).detach())
        s = d(x)
        pen = torch.autograd.grad(s.sum(), x, create_graph=True)[0].square().sum((1, 2)).mean()
        loss = F.softplus(-s).mean() + F.softplus(d(y)).mean() + 0.2 * pen
        od.zero_grad(); loss.backward(); od.step()
        loss = F.softplus(-d(rotate(make(b)))).mean()
        og.zero_grad(); loss.backward(); og.step()

with gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    loop()

def describe(x):
    """Invariants of a set: singular values, centre, distances, sorted."""
    c = x - x.mean(1, keepdim=True)
    sv = torch.linalg.svdvals(c) / N ** 0.5
    r = c.norm(dim=-1).sort(1).values
    return torch.cat([sv, x.mean(1).norm(dim=1, keepdim=True), r], 1)
with torch.no_grad():
    e = outside.energy(describe(make(1000)), describe(ellipses(1000)))
outside.say(e < 0.03, energy=e)
