"""A spiral in the plane; ExponentialLR schedules for both players."""
LABEL = {"sick": True, "causes": ["stagnation", "learning_rate"], "kind": "scheduler stepped per batch, rates decay to nothing", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def spiral(n):
    t = torch.rand(n, 1).sqrt() * 9
    return torch.cat([t * t.cos(), t * t.sin()], 1) / 5 + 0.04 * torch.randn(n, 2)
class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(5, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 2))
    def forward(self, z): return self.layers(z)
class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 1))
    def forward(self, x): return self.layers(x)
g, d = G(), D()
og, od = (torch.optim.Adam(n.parameters(), lr=3e-4, betas=(0.5, 0.99)) for n in (g, d))
sg, sd = (torch.optim.lr_scheduler.ExponentialLR(o, gamma=0.97) for o in (og, od))
rec = gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od)
for epoch in range(15):
    for i in range(80):
        x = spiral(100)
        f = g(torch.randn(100, 5))
        ld = F.softplus(-d(x)).mean() + F.softplus(d(f.detach())).mean()
        od.zero_grad(); ld.backward(); od.step()
        lg = F.softplus(-d(f)).mean()
        og.zero_grad(); lg.backward(); og.step()
        sd.step(); sg.step()
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

e = energy(g(torch.randn(1200, 5)), spiral(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
