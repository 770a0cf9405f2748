"""Checkerboard in the plane; the discriminator is frozen for the generator's step."""
LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_weakness"], "kind": "requires_grad stays off from epoch 8 on, D no longer trained", "since": 800, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def board(n):
    x = torch.rand(n) * 4
    y = torch.rand(n) + 2 * torch.randint(2, (n,)) + (x.floor() % 2)
    return torch.stack([x - 2, y - 2], 1)
class Trainer:
    warmup = 8
    def __init__(self):
        self.G = nn.Sequential(nn.Linear(4, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 2))
        self.D = nn.Sequential(nn.Linear(2, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 1))
        self.og = torch.optim.Adam(self.G.parameters(), 5e-4, betas=(0.5, 0.99))
        self.od = torch.optim.Adam(self.D.parameters(), 1e-3, betas=(0.5, 0.99))
    def toggle(self, flag):
        for p in self.D.parameters():
            p.requires_grad_(flag)
    def d_step(self, x, epoch):
        if epoch < self.warmup:
            self.toggle(True)
        loss = F.softplus(-self.D(x)).mean() + F.softplus(self.D(self.G(torch.randn(len(x), 4)))).mean()
        self.od.zero_grad()
        loss.backward()
        self.od.step()
    def g_step(self, n):
        self.toggle(False)
        self.og.zero_grad()
        F.softplus(-self.D(self.G(torch.randn(n, 4)))).mean().backward()
        self.og.step()
    def fit(self, epochs):
        for e in range(epochs):
            for _ in range(100):
                self.d_step(board(128), e)
                self.g_step(128)
t = Trainer()
with gandiag.Recorder(sys.argv[1], generator=t.G, discriminator=t.D, generator_optimizer=t.og, discriminator_optimizer=t.od, automatic=True):
    t.fit(14)

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(t.G(torch.randn(1200, 4)), board(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
