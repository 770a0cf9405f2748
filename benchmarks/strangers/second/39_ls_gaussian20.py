"""A correlated Gaussian in twenty dimensions by least squares, AdamW, cosine schedule."""
LABEL = {"sick": False, "causes": [], "kind": "sound LSGAN whose rate is annealed to nearly zero", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
A = torch.randn(20, 6)
def real(n): return (torch.randn(n, 6) @ A.T) / 2.5 + 0.3 * torch.randn(n, 20)
G = nn.Sequential(nn.Linear(24, 128), nn.LeakyReLU(0.2), nn.Linear(128, 20))
D = nn.Sequential(nn.Linear(20, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
opts = [torch.optim.AdamW(n.parameters(), 1e-3, betas=(0.5, 0.9), weight_decay=1e-3) for n in (G, D)]
N = 1100
scheds = [torch.optim.lr_scheduler.CosineAnnealingLR(o, N, eta_min=1e-6) for o in opts]
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opts[0], discriminator_optimizer=opts[1], automatic=True):
    for _ in range(N):
        x, f = real(128), G(torch.randn(128, 24))
        opts[1].zero_grad()
        (0.5 * (D(x) - 1).square().mean() + 0.5 * (D(f.detach()) + 1).square().mean()).backward()
        opts[1].step()
        opts[0].zero_grad()
        (0.5 * D(f).square().mean()).backward()
        opts[0].step()
        for s in scheds: s.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G(torch.randn(1200, 24)), real(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.03}))
