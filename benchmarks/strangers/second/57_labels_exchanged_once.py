"""Digits by an MLP GAN, label noise for D by exchanging the two label tensors now and then."""
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "label exchange of step 600 is never taken back: D is told reals are fake from then on", "since": 600, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag
from sklearn.datasets import load_digits

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
X = torch.tensor(load_digits().data / 8 - 1, dtype=torch.float32)
class Labels:
    def __init__(self): self.real, self.fake = torch.ones(64, 1), torch.zeros(64, 1)
    def exchange(self): self.real, self.fake = self.fake, self.real
G = nn.Sequential(nn.Linear(20, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.Tanh())
D = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
og, od = torch.optim.Adam(G.parameters(), 5e-4, betas=(0.5, 0.9)), torch.optim.Adam(D.parameters(), 5e-4, betas=(0.5, 0.9))
labels, bce, step = Labels(), nn.BCEWithLogitsLoss(), 0
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True)
while step < 950:
    if step == 600:
        labels.exchange()  # "a few confused batches help", says the forum
    x, f = X[torch.randint(len(X), (64,))], G(torch.randn(64, 20))
    od.zero_grad()
    (bce(D(x), labels.real) + bce(D(f.detach()), labels.fake)).backward()
    od.step()
    og.zero_grad()
    bce(D(f), torch.ones(64, 1)).backward()
    og.step()
    step += 1
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G(torch.randn(1000, 20)), X)
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.08}))
