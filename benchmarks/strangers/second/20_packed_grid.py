"""Six clusters, discriminator on packs of two samples (PacGAN)."""
LABEL = {"sick": False, "causes": [], "kind": "sound packed discriminator", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
PACK = 2
def grid(n): return torch.stack([torch.randint(3, (n,)) - 1.0, torch.randint(2, (n,)) - 0.5], 1) * 1.5 + 0.12 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(6, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 2))
D = nn.Sequential(nn.Unflatten(0, (-1, PACK)), nn.Flatten(1), nn.Linear(2 * PACK, 100), nn.LeakyReLU(0.2), nn.Linear(100, 100), nn.LeakyReLU(0.2), nn.Linear(100, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.9)), torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.9))
def discriminate(): 
    f = G(torch.randn(256, 6)).detach()
    loss = F.softplus(-D(grid(256))).mean() + F.softplus(D(f)).mean()
    od.zero_grad(); loss.backward(); od.step()
def generate():
    loss = F.softplus(-D(G(torch.randn(256, 6)))).mean()
    og.zero_grad(); loss.backward(); og.step()
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    for _ in range(1500):
        discriminate()
        generate()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

with torch.no_grad():
    s = G(torch.randn(1200, 6))
c = (torch.cartesian_prod(torch.arange(3), torch.arange(2)).float() - torch.tensor([1.0, 0.5])) * 1.5
near = torch.cdist(s, c).min(1)
modes = sum(int(((near.indices == k) & (near.values < 0.45)).sum() > 30) for k in range(6))
e = energy(s, grid(1200))
print(json.dumps({"outcome": {"modes": modes, "energy": e}, "well": modes >= 6 and e < 0.04}))
