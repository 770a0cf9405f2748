"""Digits by an MLP GAN; from epoch 25 on the batches come from a cache."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "cached batches are normalised a second time from step 700 on", "since": 700, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag
from sklearn.datasets import load_digits

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
raw = torch.tensor(load_digits().data, dtype=torch.float32)
def normalise(x): return x / 8 - 1
cache = [normalise(x) for x in raw[torch.randperm(len(raw))[:1792]].split(64)]
class Source:
    def __init__(self): self.epoch = 0
    def __iter__(self):
        self.epoch += 1
        if self.epoch <= 25:
            for idx in torch.randperm(len(raw))[:1792].split(64):
                yield normalise(raw[idx])
        else:
            for k in torch.randperm(len(cache)):
                yield normalise(cache[k])
G = nn.Sequential(nn.Linear(16, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64))
D = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
og, od = torch.optim.Adam(G.parameters(), 5e-4, betas=(0.5, 0.99)), torch.optim.Adam(D.parameters(), 5e-4, betas=(0.5, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
source = Source()
for epoch in range(40):
    for x in source:
        f = G(torch.randn(64, 16))
        ld = F.softplus(-D(x)).mean() + F.softplus(D(f.detach())).mean()
        od.zero_grad(); ld.backward(); od.step()
        lg = F.softplus(-D(f)).mean()
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

e = energy(G(torch.randn(800, 16)), normalise(raw))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.12}))
