"""A table read row by row, one value of it missing."""
LABEL = {"sick": True, "causes": ["numerical_failure", "data_mismatch"], "kind": "a NaN in row 40123 of the table reaches the batch at step 626", "since": 626, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
A = torch.randn(5, 5)
table = torch.randn(60000, 5) @ A + torch.randint(2, (60000, 1)) * 3.0
table = (table - table.mean(0)) / table.std(0)
clean = table[:2000].clone()
table[40123, 2] = float("nan")
def read(batch=64):
    at = 0
    while at + batch <= len(table):
        yield table[at:at + batch]
        at += batch
G = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5))
D = nn.Sequential(nn.Linear(5, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
opt_g, opt_d = torch.optim.AdamW(G.parameters(), 5e-4, betas=(0.5, 0.9)), torch.optim.AdamW(D.parameters(), 5e-4, betas=(0.5, 0.9))
first = None
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True):
    for i, x in enumerate(read()):
        f = G(torch.randn(64, 8))
        loss = ((D(x) - 1) ** 2).mean() + (D(f.detach()) ** 2).mean()
        opt_d.zero_grad(); loss.backward(); opt_d.step()
        loss_g = ((D(f) - 1) ** 2).mean()
        opt_g.zero_grad(); loss_g.backward(); opt_g.step()
        if first is None and not torch.isfinite(loss_g):
            first = i

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G(torch.randn(1000, 8)), clean)
print(json.dumps({"outcome": {"energy": e, "first_nan": first}, "well": e < 0.1}))
