"""A ring of width by slow rates: nothing spectacular, every epoch a bit better."""
LABEL = {"sick": False, "causes": [], "kind": "sound but slow: small rates, still improving at the end", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, math

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def annulus(n):
    a = 2 * math.pi * torch.rand(n, 1)
    return torch.cat([a.cos(), a.sin()], 1) * (1 + 0.15 * torch.randn(n, 1))

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

G = nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
D = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
og, od = torch.optim.Adam(G.parameters(), 6e-5, betas=(0.5, 0.9)), torch.optim.Adam(D.parameters(), 2e-4, betas=(0.5, 0.9))
before = energy(G(torch.randn(1200, 4)), annulus(1200))
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    half = None
    for i in range(1300):
        x = annulus(96)
        f = G(torch.randn(96, 4))
        od.zero_grad()
        (F.softplus(-D(x)).mean() + F.softplus(D(f.detach())).mean()).backward()
        od.step()
        og.zero_grad()
        F.softplus(-D(f)).mean().backward()
        og.step()
after = energy(G(torch.randn(1200, 4)), annulus(1200))
print(json.dumps({"outcome": {"before": before, "after": after}, "well": after < 0.05 and after < before / 5}))
