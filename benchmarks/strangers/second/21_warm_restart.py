"""A mixture in eight dimensions, rates set by a LambdaLR with a restart."""
LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "objective_fault"], "kind": "restart at step 500 multiplies both rates by 200 (steps taken for epochs)", "since": 500, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
M = 1.5 * torch.randn(5, 8)
def real(n): return M[torch.randint(5, (n,))] + 0.3 * torch.randn(n, 8)
class Block(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.a, self.b = nn.Linear(w, w), nn.Linear(w, w)
    def forward(self, x): return x + self.b(F.leaky_relu(self.a(x), 0.2))
def net(i, o, w=64): return nn.Sequential(nn.Linear(i, w), Block(w), Block(w), nn.Linear(w, o))
G, D = net(8, 8), net(8, 1)
optG, optD = torch.optim.Adam(G.parameters(), 5e-4, betas=(0.5, 0.9)), torch.optim.Adam(D.parameters(), 5e-4, betas=(0.5, 0.9))
restart = lambda t: 1.0 if t < 500 else 200 * 0.999 ** (t - 500)
scheds = [torch.optim.lr_scheduler.LambdaLR(o, restart) for o in (optG, optD)]
for t in range(900):
    x, f = real(128), G(torch.randn(128, 8))
    optD.zero_grad()
    (F.softplus(-D(x)).mean() + F.softplus(D(f.detach())).mean()).backward()
    optD.step()
    optG.zero_grad()
    F.softplus(-D(f)).mean().backward()
    optG.step()
    for s in scheds:
        s.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G(torch.randn(1200, 8)), real(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.08}))
