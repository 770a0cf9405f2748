"""One-dimensional bimodal data, a class with a train_step."""
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "generator is asked to be labelled fake", "since": 0, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def sample(n):
    s = (torch.rand(n, 1) < 0.4).float()
    return s * (-1.5 + 0.2 * torch.randn(n, 1)) + (1 - s) * (1.0 + 0.3 * torch.randn(n, 1))
class Model:
    def __init__(self):
        self.G = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
        self.D = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1), nn.Sigmoid())
        self.optG = torch.optim.Adam(self.G.parameters(), lr=1e-3)
        self.optD = torch.optim.Adam(self.D.parameters(), lr=1e-3)
        self.loss = nn.BCELoss()
    def train_step(self, x):
        ones, zeros = torch.ones(len(x), 1), torch.zeros(len(x), 1)
        fake = self.G(torch.rand(len(x), 1))
        self.optD.zero_grad()
        (self.loss(self.D(x), ones) + self.loss(self.D(fake.detach()), zeros)).backward()
        self.optD.step()
        self.optG.zero_grad()
        self.loss(self.D(fake), zeros).backward()
        self.optG.step()
m = Model()
with gandiag.Recorder(sys.argv[1], generator=m.G, discriminator=m.D, generator_optimizer=m.optG, discriminator_optimizer=m.optD, discriminator_output="probability", automatic=True):
    for _ in range(1000):
        m.train_step(sample(128))

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(m.G(torch.rand(1000, 1)), sample(1000))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.05}))
