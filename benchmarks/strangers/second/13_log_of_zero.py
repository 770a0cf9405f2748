"""Twelve amounts in their raw units, the loss written out with torch.log."""
LABEL = {"sick": True, "causes": ["numerical_failure", "divergence", "discriminator_dominance"], "kind": "log of a probability that reaches 0 or 1: nan", "since": 899, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
mu = 40 * torch.randn(4, 12)
def get(n): return mu[torch.randint(4, (n,))] + 6 * torch.randn(n, 12)
G = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 12))
D = nn.Sequential(nn.Linear(12, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1), nn.Sigmoid())
opts = {"g": torch.optim.Adam(G.parameters(), 1e-4), "d": torch.optim.Adam(D.parameters(), 1e-2)}
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opts["g"], discriminator_optimizer=opts["d"], discriminator_output="probability")
first_bad = None
for i in range(1200):
    x, f = get(100), G(torch.randn(100, 6))
    d_loss = -(torch.log(D(x)) + torch.log(1 - D(f.detach()))).mean()
    opts["d"].zero_grad(); d_loss.backward(); opts["d"].step()
    g_loss = -torch.log(D(f)).mean()
    opts["g"].zero_grad(); g_loss.backward(); opts["g"].step()
    if first_bad is None and not (torch.isfinite(g_loss) and torch.isfinite(d_loss)):
        first_bad = i
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
fin = bool(torch.isfinite(G(torch.randn(10, 6))).all())
print(json.dumps({"outcome": {"finite": fin, "first_bad": first_bad}, "well": fin}))
