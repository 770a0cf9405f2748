"""Tight clusters with instance noise that fades out and one-sided smoothing."""
LABEL = {"sick": False, "causes": [], "kind": "sound, instance noise annealed to zero, real label 0.9", "since": None, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
C = torch.tensor([[-1.5, 0], [1.5, 0], [0, 1.5], [0, -1.5]])
def get(n): return C[torch.randint(4, (n,))] + 0.15 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(6, 80), nn.ReLU(), nn.Linear(80, 80), nn.ReLU(), nn.Linear(80, 2))
D = nn.Sequential(nn.Linear(2, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.9)), torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.9))
bce, N = F.binary_cross_entropy_with_logits, 1400
for i in range(N):
    sigma = max(0.0, 0.6 * (1 - i / (0.6 * N)))
    blur = lambda x: x + sigma * torch.randn_like(x)
    f = G(torch.randn(128, 6))
    a, b = D(blur(get(128))), D(blur(f.detach()))
    od.zero_grad()
    (bce(a, torch.full_like(a, 0.9)) + bce(b, torch.zeros_like(b))).backward()
    od.step()
    og.zero_grad()
    b = D(blur(f))
    bce(b, torch.ones_like(b)).backward()
    og.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

with torch.no_grad():
    s = G(torch.randn(1200, 6))
near = torch.cdist(s, C).min(1)
modes = sum(int(((near.indices == k) & (near.values < 0.6)).sum() > 60) for k in range(4))
e = energy(s, get(1200))
print(json.dumps({"outcome": {"modes": modes, "energy": e}, "well": modes == 4 and e < 0.04}))
