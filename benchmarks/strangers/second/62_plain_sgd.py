"""A skewed one-dimensional law, plain SGD for both players."""
LABEL = {"sick": False, "causes": [], "kind": "sound, SGD without momentum and a gradient penalty", "since": None, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def law(n): return torch.exp(0.5 * torch.randn(n, 1)) - 1
G = nn.Sequential(nn.Linear(1, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
D = nn.Sequential(nn.Linear(1, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
sgd_g, sgd_d = torch.optim.SGD(G.parameters(), lr=0.05), torch.optim.SGD(D.parameters(), lr=0.1)
for it in range(1500):
    x = law(128).requires_grad_()
    f = G(torch.randn(128, 1))
    out = D(x)
    r1 = torch.autograd.grad(out.sum(), x, create_graph=True)[0].square().mean()
    loss = F.softplus(-out).mean() + F.softplus(D(f.detach())).mean() + 0.1 * r1
    sgd_d.zero_grad(); loss.backward(); sgd_d.step()
    loss_g = F.softplus(-D(f)).mean()
    sgd_g.zero_grad(); loss_g.backward(); sgd_g.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G(torch.randn(1200, 1)), law(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.04}))
