"""One generator against two discriminators (values and differences of a random walk)."""
LABEL = {"sick": False, "causes": [], "kind": "sound, two discriminators", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def walk(n): return (0.4 * torch.randn(n, 10)).cumsum(1)
class Walker(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 10))
    def forward(self, z): return self.net(z)
def judge(i): return nn.Sequential(nn.Linear(i, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
G, D1, D2 = Walker(), judge(10), judge(9)
og = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.0, 0.9))
o1, o2 = torch.optim.Adam(D1.parameters(), 1e-3, betas=(0.0, 0.9)), torch.optim.Adam(D2.parameters(), 1e-3, betas=(0.0, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D1, generator_optimizer=og, discriminator_optimizer=o1, automatic=True)
for it in range(900):
    x, f = walk(128), G(torch.randn(128, 12))
    for D, o, view in ((D1, o1, lambda s: s), (D2, o2, lambda s: s.diff(dim=1))):
        o.zero_grad()
        v = view(x).detach().requires_grad_()
        s = D(v)
        r1 = torch.autograd.grad(s.sum(), v, create_graph=True)[0].square().sum(1).mean()
        (F.softplus(-s).mean() + F.softplus(D(view(f.detach()))).mean() + 0.1 * r1).backward()
        o.step()
    og.zero_grad()
    (F.softplus(-D1(f)).mean() + 0.5 * F.softplus(-D2(f.diff(dim=1))).mean()).backward()
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

e = energy(G(torch.randn(1200, 12)), walk(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.04}))
