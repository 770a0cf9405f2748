"""Twenty-five clusters; the generator is trained five times per discriminator step."""
LABEL = {"sick": True, "causes": ["mode_collapse", "discriminator_weakness", "oscillation"], "kind": "G: five steps at ten times D's rate, falls on few clusters at a time", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def grid(n): return torch.randint(5, (n, 2)).float() - 2 + 0.05 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
og, od = torch.optim.Adam(G.parameters(), 4e-3, betas=(0.5, 0.9)), torch.optim.Adam(D.parameters(), 4e-4, betas=(0.5, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True)
for rounds in range(160):
    od.zero_grad()
    (F.softplus(-D(grid(100))).mean() + F.softplus(D(G(torch.randn(100, 2)).detach())).mean()).backward()
    od.step()
    for _ in range(5):
        og.zero_grad()
        F.softplus(-D(G(torch.randn(100, 2)))).mean().backward()
        og.step()
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

with torch.no_grad():
    s = G(torch.randn(2500, 2))
c = torch.cartesian_prod(torch.arange(5), torch.arange(5)).float() - 2
near = torch.cdist(s, c).min(1)
modes = sum(int(((near.indices == k) & (near.values < 0.25)).sum() > 20) for k in range(25))
print(json.dumps({"outcome": {"modes": modes, "energy": energy(s, grid(1200))}, "well": modes >= 15}))
