"""Two large clusters and a rare one, a small generator and a weakly regularised judge."""
LABEL = {"sick": True, "causes": ["mode_dropping", "mode_collapse"], "kind": "the rare cluster (6 %) is never made", "since": None, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
C = torch.tensor([[0.0, 0.0], [2.0, 0.0], [1.0, 6.0]])
P = torch.tensor([0.50, 0.44, 0.06])
def real(n): return C[torch.multinomial(P, n, replacement=True)] + 0.15 * torch.randn(n, 2)
generator = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
discriminator = nn.Sequential(nn.Linear(2, 24), nn.LeakyReLU(0.2), nn.Linear(24, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))
g_opt = torch.optim.Adam(generator.parameters(), 1e-3, betas=(0.5, 0.9))
d_opt = torch.optim.Adam(discriminator.parameters(), 5e-4, betas=(0.5, 0.9), weight_decay=1e-2)
def batches(n):
    for _ in range(n):
        yield real(64)
for x in batches(1800):
    fake = generator(torch.randn(64, 2))
    d_opt.zero_grad()
    (F.softplus(-discriminator(x)).mean() + F.softplus(discriminator(fake.detach())).mean()).backward()
    d_opt.step()
    g_opt.zero_grad()
    F.softplus(-discriminator(generator(torch.randn(64, 2)))).mean().backward()
    g_opt.step()
with torch.no_grad():
    s = generator(torch.randn(4000, 2))
near = torch.cdist(s, C).min(1)
share = [float(((near.indices == k) & (near.values < 0.8)).float().mean()) for k in range(3)]
print(json.dumps({"outcome": {"shares": share}, "well": share[2] > 0.015}))
