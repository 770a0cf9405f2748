"""A table with two numbers and a category, hinge loss, Gumbel-softmax output."""
LABEL = {"sick": False, "causes": [], "kind": "sound tabular hinge GAN", "since": None, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
P = torch.tensor([0.5, 0.3, 0.2])
MU = torch.tensor([[0.0, 1.0], [1.5, -1.0], [-1.5, -0.5]])
def rows(n):
    c = torch.multinomial(P, n, replacement=True)
    num = MU[c] + torch.stack([0.3 * torch.randn(n), 0.2 * torch.randn(n)], 1)
    return torch.cat([num, F.one_hot(c, 3).float()], 1)
def soften(x, tau=0.2):
    hot = x[:, 2:]
    return torch.cat([x[:, :2], F.softmax((torch.log(hot * 0.97 + 0.01) - torch.log(-torch.log(torch.rand_like(hot)))) / tau, 1) * 0 + hot * 0.9 + 0.1 * torch.rand_like(hot)], 1)
class TableG(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 100), nn.LayerNorm(100), nn.GELU(), nn.Linear(100, 100), nn.GELU())
        self.num, self.cat = nn.Linear(100, 2), nn.Linear(100, 3)
    def forward(self, z):
        h = self.body(z)
        return torch.cat([self.num(h), F.gumbel_softmax(self.cat(h), tau=0.3)], 1)
class TableD(nn.Module):
    def __init__(self):
        super().__init__()
        sn = nn.utils.parametrizations.spectral_norm
        self.net = nn.Sequential(sn(nn.Linear(5, 100)), nn.LeakyReLU(0.2), sn(nn.Linear(100, 100)), nn.LeakyReLU(0.2), nn.Linear(100, 1))
    def forward(self, x): return self.net(x)
G, D = TableG(), TableD()
opt_G = torch.optim.Adam(G.parameters(), 5e-4, betas=(0.0, 0.9))
opt_D = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.0, 0.9))
for step in range(1200):
    x = soften(rows(200))
    f = G(torch.randn(200, 10))
    opt_D.zero_grad()
    (F.relu(1 - D(x)).mean() + F.relu(1 + D(f.detach())).mean()).backward()
    opt_D.step()
    opt_G.zero_grad()
    (-D(f).mean()).backward()
    opt_G.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

with torch.no_grad():
    f = G(torch.randn(1200, 10))
share = torch.bincount(f[:, 2:].argmax(1), minlength=3) / 1200
hard = torch.cat([f[:, :2], F.one_hot(f[:, 2:].argmax(1), 3).float()], 1)
e = energy(hard, rows(1200))
print(json.dumps({"outcome": {"energy": e, "shares": share.tolist()}, "well": e < 0.04}))
