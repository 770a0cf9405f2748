"""Points on a circle given an angle (continuous condition), projection discriminator."""
LABEL = {"sick": False, "causes": [], "kind": "sound conditional GAN with a continuous condition", "since": None, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import math

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def batch(n):
    a = 2 * math.pi * torch.rand(n, 1)
    c = torch.cat([a.cos(), a.sin()], 1)
    return c * (1.5 + 0.2 * torch.randn(n, 1)), c
class CG(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(5, 80), nn.SiLU(), nn.Linear(80, 80), nn.SiLU(), nn.Linear(80, 2))
    def forward(self, z, c): return self.net(torch.cat([z, c], 1))
class CD(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 80), nn.SiLU(), nn.Linear(80, 80), nn.SiLU())
        self.out, self.proj = nn.Linear(80, 1), nn.Linear(2, 80)
    def forward(self, x, c):
        h = self.net(x)
        return self.out(h) + (h * self.proj(c)).sum(1, keepdim=True)
G, D = CG(), CD()
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.0, 0.9)), torch.optim.Adam(D.parameters(), 1e-3, betas=(0.0, 0.9))
for step in range(1000):
    x, c = batch(128)
    f = G(torch.randn(128, 3), c)
    x.requires_grad_()
    out = D(x, c)
    r1 = torch.autograd.grad(out.sum(), x, create_graph=True)[0].square().sum(1).mean()
    d_loss = F.softplus(-out).mean() + F.softplus(D(f.detach(), c)).mean() + 0.1 * r1
    od.zero_grad(); d_loss.backward(); od.step()
    g_loss = F.softplus(-D(f, c)).mean()
    og.zero_grad(); g_loss.backward(); og.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

x, c = batch(1200)
with torch.no_grad():
    s = G(torch.randn(1200, 3), c)
joint = energy(torch.cat([s, c], 1), torch.cat([x, c], 1)[torch.randperm(1200)])
miss = float((F.normalize(s) - c).norm(dim=1).mean())
print(json.dumps({"outcome": {"joint_energy": joint, "angle_error": miss}, "well": joint < 0.03 and miss < 0.3}))
