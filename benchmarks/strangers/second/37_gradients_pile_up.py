"""Mixture of five Gaussians; plain loop with gradient accumulation helpers."""
LABEL = {"sick": True, "causes": ["objective_fault", "learning_rate", "oscillation"], "kind": "zero_grad is never called", "since": 0, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
C = torch.tensor([[0.0, 0.0], [2, 2], [-2, 2], [2, -2], [-2, -2]])
def draw(n): return C[torch.randint(5, (n,))] + 0.15 * torch.randn(n, 2)
def update(optimizer, loss):
    loss.backward()
    optimizer.step()
G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for i in range(900):
    f = G(torch.randn(128, 4))
    d_loss = F.softplus(-D(draw(128))).mean() + F.softplus(D(f.detach())).mean()
    update(od, d_loss)
    g_loss = F.softplus(-D(f)).mean()
    update(og, g_loss)
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G(torch.randn(1200, 4)), draw(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
