"""Conditional translation of a bump into one of two shifted bumps; adversarial plus L1."""
LABEL = {"sick": True, "causes": ["mode_collapse", "discriminator_dominance", "objective_fault"], "kind": "L1 weight 500: the generator gives one mean answer whatever the noise", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
pos = torch.arange(16.0)
def pairs(n):
    c = 2 + 12 * torch.rand(n, 1)
    side = (torch.rand(n, 1) < 0.5).float() * 2 - 1
    x = torch.exp(-((pos - c) ** 2) / 4)
    y = torch.exp(-((pos - (c + 4 * side) % 16) ** 2) / 2)
    return x, y
class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(24, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 16))
    def forward(self, x, z): return self.net(torch.cat([x, z], 1))
class PairJudge(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(32, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
    def forward(self, x, y): return self.net(torch.cat([x, y], 1))
G, D = Translator(), PairJudge()
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.9)), torch.optim.Adam(D.parameters(), 5e-4, betas=(0.5, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for i in range(900):
    x, y = pairs(64)
    f = G(x, torch.randn(64, 8))
    ld = F.softplus(-D(x, y)).mean() + F.softplus(D(x, f.detach())).mean()
    od.zero_grad(); ld.backward(); od.step()
    lg = F.softplus(-D(x, f)).mean() + 500 * F.l1_loss(f, y)
    og.zero_grad(); lg.backward(); og.step()
    rec.step(d_loss=ld, g_loss=lg)
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
    x, y = pairs(1000)
    spread = float(torch.stack([G(x[:200], torch.randn(200, 8)) for _ in range(8)]).std(0).mean())
    e = energy(G(x, torch.randn(1000, 8)), y)
print(json.dumps({"outcome": {"spread_over_noise": spread, "energy": e}, "well": spread > 0.05}))
