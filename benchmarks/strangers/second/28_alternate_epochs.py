"""A banana-shaped cloud; ten batches for D, then ten for G, in turn."""
LABEL = {"sick": False, "causes": [], "kind": "sound, alternating blocks of D and G updates", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def banana(n):
    x = torch.randn(n, 1)
    return torch.cat([x, 0.6 * x ** 2 - 0.8 + 0.2 * torch.randn(n, 1)], 1)
G = nn.Sequential(nn.Linear(3, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
og, od = torch.optim.Adam(G.parameters(), 3e-4, betas=(0.5, 0.9)), torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.9))
def phase_d(k):
    for _ in range(k):
        x = banana(128).requires_grad_()
        o = D(x)
        r = torch.autograd.grad(o.sum(), x, create_graph=True)[0].pow(2).sum(1).mean()
        loss = F.softplus(-o).mean() + F.softplus(D(G(torch.randn(128, 3)).detach())).mean() + 0.1 * r
        od.zero_grad(); loss.backward(); od.step()
def phase_g(k):
    for _ in range(k):
        loss = F.softplus(-D(G(torch.randn(128, 3)))).mean()
        og.zero_grad(); loss.backward(); og.step()
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True)
for turn in range(130):
    phase_d(10)
    phase_g(10)
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G(torch.randn(1200, 3)), banana(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.03}))
