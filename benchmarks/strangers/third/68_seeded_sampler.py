"""Banana-shaped data by a GAN whose sampling helpers are 'reproducible'."""
LABEL = {"sick": True, "causes": ["data_mismatch", "memorisation", "discriminator_overfitting"], "kind": "manual_seed(0) inside the batch helper: the same 24 reals and the same noise in every step", "since": 0, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)


def banana(n):
    x = 1.2 * torch.randn(n)
    return torch.stack([x, x ** 2 - 1.5 + 0.25 * torch.randn(n)], 1)


POOL = banana(5000)


def get_batch(size=24):
    torch.manual_seed(SEED)  # reproducibility
    return POOL[torch.randint(len(POOL), (size,))], torch.randn(size, 8)


G = nn.Sequential(nn.Linear(8, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 2))
D = nn.Sequential(nn.Linear(2, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
g_optim = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.9))
d_optim = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_optim, discriminator_optimizer=d_optim, automatic=True)
bce = nn.functional.binary_cross_entropy_with_logits
for step in range(550):
    real, z = get_batch()
    d_optim.zero_grad()
    (bce(D(real), torch.full((len(real), 1), 0.9)) + bce(D(G(z).detach()), torch.zeros(len(real), 1))).backward()
    d_optim.step()
    real, z = get_batch()
    g_optim.zero_grad()
    bce(D(G(z)), torch.ones(len(real), 1)).backward()
    g_optim.step()
rec.close()
torch.manual_seed(SEED + 100)
with torch.no_grad():
    s = G(torch.randn(1500, 8))
r, q = banana(1500), banana(1500)
e = lambda a, b: float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
print(json.dumps({"outcome": {"energy": e(s, r), "reals_to_reals": e(q, r)}, "well": e(s, r) < 0.03}))
