"""An own loss (logistic plus a part of its square) on an S-shaped curve."""
LABEL = {"sick": False, "causes": [], "kind": "sound, unusual loss", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def s_curve(n):
    t = 2 * torch.rand(n, 1) - 1
    return torch.cat([torch.sin(3 * t), 1.5 * t], 1) + 0.06 * torch.randn(n, 2)
def margin(u): return F.softplus(-u) + 0.1 * F.softplus(-u).square()
def fn(i, o): return nn.Sequential(nn.Linear(i, 80), nn.SiLU(), nn.Linear(80, 80), nn.SiLU(), nn.Linear(80, o))
G, D = fn(4, 2), fn(2, 1)
og, od = torch.optim.NAdam(G.parameters(), 1e-3, betas=(0.5, 0.9)), torch.optim.NAdam(D.parameters(), 1e-3, betas=(0.5, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
def closure_d(x, f):
    od.zero_grad()
    loss = margin(D(x)).mean() + margin(-D(f)).mean()
    loss.backward()
    return loss
def closure_g(z):
    og.zero_grad()
    loss = margin(D(G(z))).mean()
    loss.backward()
    return loss
for i in range(1200):
    z = torch.randn(128, 4)
    with torch.no_grad():
        f = G(z)
    ld = closure_d(s_curve(128), f); od.step()
    lg = closure_g(z); og.step()
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

e = energy(G(torch.randn(1200, 4)), s_curve(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.04}))
