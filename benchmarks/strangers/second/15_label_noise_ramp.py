"""Ring of six modes; label noise with a schedule."""
LABEL = {"sick": True, "causes": ["objective_fault", "data_mismatch", "discriminator_weakness"], "kind": "share of flipped labels grows with the epoch, past one half", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, math

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
angles = torch.arange(6) * math.pi / 3
C = torch.stack([angles.cos(), angles.sin()], 1) * 1.5
def real(n): return C[torch.randint(6, (n,))] + 0.1 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.99)), torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
def noisy(value, n, p):
    t = torch.full((n, 1), value)
    flip = torch.rand(n, 1) < p
    return torch.where(flip, 1 - t, t)
bce = F.binary_cross_entropy_with_logits
for epoch in range(20):
    p = 0.04 * epoch  # meant: 0.04 * (1 - epoch / 20)
    for _ in range(80):
        x = real(128)
        f = G(torch.randn(128, 4))
        ld = bce(D(x), noisy(1.0, 128, p)) + bce(D(f.detach()), noisy(0.0, 128, p))
        od.zero_grad(); ld.backward(); od.step()
        lg = bce(D(f), torch.ones(128, 1))
        og.zero_grad(); lg.backward(); og.step()
        rec.step(d_loss=ld, g_loss=lg)
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G(torch.randn(1200, 4)), real(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
