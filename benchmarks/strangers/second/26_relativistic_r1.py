"""Seven modes, six on a ring and one in the middle, paired relativistic loss with R1 and R2."""
LABEL = {"sick": False, "causes": [], "kind": "sound RpGAN", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, math

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
a = torch.arange(6) * (2 * math.pi / 6)
C = torch.cat([torch.stack([a.cos(), a.sin()], 1) * 1.8, torch.zeros(1, 2)])
def real(n): return C[torch.randint(7, (n,))] + 0.12 * torch.randn(n, 2)
def mlp(i, o, h=80): return nn.Sequential(nn.Linear(i, h), nn.SiLU(), nn.Linear(h, h), nn.SiLU(), nn.Linear(h, o))
G, D = mlp(8, 2), mlp(2, 1)
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.0, 0.9)), torch.optim.Adam(D.parameters(), 1e-3, betas=(0.0, 0.9))
def zero_centred(x):
    x = x.detach().requires_grad_()
    s = D(x)
    return s, torch.autograd.grad(s.sum(), x, create_graph=True)[0].pow(2).sum(1).mean()
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od) as recorder:
    for step in range(1300):
        x, f = real(192), G(torch.randn(192, 8))
        (sr, r1), (sf, r2) = zero_centred(x), zero_centred(f)
        loss_d = F.softplus(sf - sr).mean() + 0.02 * (r1 + r2)
        od.zero_grad(); loss_d.backward(); od.step()
        loss_g = F.softplus(D(x) - D(f)).mean()
        og.zero_grad(); loss_g.backward(); og.step()
        recorder.step(d_loss=loss_d, g_loss=loss_g)

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

with torch.no_grad():
    s = G(torch.randn(2000, 8))
near = torch.cdist(s, C).min(1)
modes = sum(int(((near.indices == k) & (near.values < 0.5)).sum() > 25) for k in range(7))
e = energy(s, real(1200))
print(json.dumps({"outcome": {"modes": modes, "energy": e}, "well": modes >= 7 and e < 0.03}))
