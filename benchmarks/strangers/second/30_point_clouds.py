"""Point clouds (rotated ellipses) by attention; set discriminator."""
LABEL = {"sick": False, "causes": [], "kind": "sound attention GAN on sets", "since": None, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import math

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
N = 12
def clouds(b):
    a = 2 * math.pi * torch.rand(b, N)
    ax = 0.4 + 0.6 * torch.rand(b, 2, 1)
    return torch.stack([a.cos(), a.sin()], 1).mul(ax).transpose(1, 2) + 0.03 * torch.randn(b, N, 2)
class SetG(nn.Module):
    def __init__(self, w=32):
        super().__init__()
        self.inp, self.att, self.out = nn.Linear(6, w), nn.MultiheadAttention(w, 2, batch_first=True), nn.Sequential(nn.Linear(w, w), nn.GELU(), nn.Linear(w, 2))
        self.ff = nn.Sequential(nn.Linear(w, w), nn.GELU(), nn.Linear(w, w))
    def forward(self, z):
        h = self.inp(z)
        h = h + self.ff(h)
        return self.out(h + self.att(h, h, h, need_weights=False)[0])
class SetD(nn.Module):
    def __init__(self, w=48):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(2, w), nn.LeakyReLU(0.2), nn.Linear(w, w), nn.LeakyReLU(0.2))
        self.rho = nn.Sequential(nn.Linear(2 * w, w), nn.LeakyReLU(0.2), nn.Linear(w, 1))
    def forward(self, x):
        h = self.phi(x)
        return self.rho(torch.cat([h.mean(1), h.amax(1)], 1))
def latent(b): return torch.cat([torch.randn(b, 1, 3).expand(-1, N, -1), torch.randn(b, N, 3)], 2)
gen, dis = SetG(), SetD()
g_opt, d_opt = torch.optim.Adam(gen.parameters(), 1e-3, betas=(0.5, 0.9)), torch.optim.Adam(dis.parameters(), 1e-3, betas=(0.5, 0.9))
for step in range(1200):
    x, f = clouds(64), gen(latent(64))
    d_opt.zero_grad()
    (F.softplus(-dis(x)).mean() + F.softplus(dis(f.detach())).mean()).backward()
    d_opt.step()
    g_opt.zero_grad()
    F.softplus(-dis(f)).mean().backward()
    g_opt.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

with torch.no_grad():
    s, r = gen(latent(800)), clouds(800)
points = energy(s.reshape(-1, 2)[torch.randperm(9600)], r.reshape(-1, 2)[torch.randperm(9600)])
form = energy(s.std(1), r.std(1))
print(json.dumps({"outcome": {"points": points, "form": form}, "well": points < 0.05 and form < 0.15}))
