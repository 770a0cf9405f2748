"""Gaussian on a line segment; one optimizer over both networks' parameters."""
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "one optimizer minimises d_loss + g_loss over both players, nothing detached", "since": 0, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, itertools

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def real(n):
    t = torch.randint(3, (n, 1)).float() - 1
    return torch.cat([2 * t, t.abs() - 0.5], 1) + 0.12 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(itertools.chain(G.parameters(), D.parameters()), lr=1e-3)
bce = nn.BCEWithLogitsLoss()
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt, discriminator_optimizer=opt)
for i in range(800):
    x, fake = real(128), G(torch.randn(128, 3))
    pr, pf = D(x), D(fake)
    d_loss = 0.5 * (bce(pr, torch.ones_like(pr)) + bce(pf, torch.zeros_like(pf)))
    g_loss = bce(pf, torch.ones_like(pf))
    opt.zero_grad()
    (d_loss + g_loss).backward()
    opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G(torch.randn(1200, 3)), real(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
