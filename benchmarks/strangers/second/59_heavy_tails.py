"""Student-t data with skew, small batches, very noisy Wasserstein losses."""
LABEL = {"sick": False, "causes": [], "kind": "sound WGAN-GP whose losses are very noisy (heavy tails, batches of 16)", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
t = torch.distributions.StudentT(4.0)
def real(n):
    s = t.sample((n, 3)) * 0.5
    return torch.cat([s[:, :1], s[:, :1] * 0.7 + s[:, 1:2], s[:, 2:].abs()], 1)
G = nn.Sequential(nn.Linear(6, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 3))
C = nn.Sequential(nn.Linear(3, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
og, oc = torch.optim.Adam(G.parameters(), 5e-4, betas=(0.0, 0.9)), torch.optim.Adam(C.parameters(), 1e-3, betas=(0.0, 0.9))
def penalty(a, b):
    m = torch.lerp(a, b, torch.rand(len(a), 1)).requires_grad_()
    return (torch.autograd.grad(C(m).sum(), m, create_graph=True)[0].norm(dim=1) - 1).clamp(min=0).square().mean()
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=C, generator_optimizer=og, discriminator_optimizer=oc, automatic=True):
    for i in range(650):
        for _ in range(2):
            x, f = real(16), G(torch.randn(16, 6)).detach()
            oc.zero_grad()
            (C(f).mean() - C(x).mean() + 10 * penalty(x, f)).backward()
            oc.step()
        og.zero_grad()
        (-C(G(torch.randn(16, 6))).mean()).backward()
        og.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G(torch.randn(1200, 6)), real(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.04}))
