"""Notebook: a 6-mode ring with a small MLP GAN, non-saturating."""
LABEL = {"sick": False, "causes": [], "kind": "sound, labels turned round (fake is one)", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import math
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
# In [2]
def ring(n):
    k = torch.randint(6, (n,))
    a = k * (2 * math.pi / 6)
    return torch.stack([a.cos(), a.sin()], 1) * 1.5 + 0.2 * torch.randn(n, 2)

# In [3]
G = nn.Sequential(nn.Linear(16, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 2))
D = nn.Sequential(nn.Linear(2, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
og = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.9))
od = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
FAKE, REAL = 1.0, 0.0  # in this house fake is the positive class
# In [4]
for it in range(1400):
    x = ring(128)
    fake = G(torch.randn(128, 16))
    lr_, lf = D(x), D(fake.detach())
    loss_d = F.binary_cross_entropy_with_logits(lr_, torch.full_like(lr_, REAL)) + F.binary_cross_entropy_with_logits(lf, torch.full_like(lf, FAKE))
    od.zero_grad(); loss_d.backward(); od.step()
    lf = D(fake)
    loss_g = F.binary_cross_entropy_with_logits(lf, torch.full_like(lf, REAL))
    og.zero_grad(); loss_g.backward(); og.step()
    rec.step(d_loss=loss_d, g_loss=loss_g)
rec.close()
# In [5]

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

with torch.no_grad():
    s = G(torch.randn(1200, 16))
a = torch.arange(6) * (2 * math.pi / 6)
c = torch.stack([a.cos(), a.sin()], 1) * 1.5
near = torch.cdist(s, c).min(1)
modes = sum(int(((near.indices == k) & (near.values < 0.6)).sum() > 20) for k in range(6))
e = energy(s, ring(1200))
print(json.dumps({"outcome": {"modes": modes, "energy": e}, "well": modes >= 6 and e < 0.04}))
