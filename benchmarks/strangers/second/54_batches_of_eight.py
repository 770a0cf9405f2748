"""A Gaussian and a uniform bar in the plane, batches of eight."""
LABEL = {"sick": False, "causes": [], "kind": "sound, tiny batches, slow averages by high beta2", "since": None, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def real(n):
    k = (torch.rand(n, 1) < 0.5).float()
    a = torch.cat([0.3 * torch.randn(n, 1) - 1, 0.3 * torch.randn(n, 1)], 1)
    b = torch.cat([0.1 * torch.randn(n, 1) + 1, 2 * torch.rand(n, 1) - 1], 1)
    return k * a + (1 - k) * b
netG = nn.Sequential(nn.Linear(4, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 2))
netD = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
optG = torch.optim.Adam(netG.parameters(), 3e-4, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), 6e-4, betas=(0.5, 0.999))
for i in range(2000):
    x, f = real(8), netG(torch.randn(8, 4))
    optD.zero_grad()
    (F.softplus(-netD(x)).mean() + F.softplus(netD(f.detach())).mean()).backward()
    optD.step()
    optG.zero_grad()
    F.softplus(-netD(f)).mean().backward()
    optG.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(netG(torch.randn(1200, 4)), real(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.04}))
