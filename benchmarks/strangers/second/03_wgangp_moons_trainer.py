"""WGAN-GP on two moons, five critic updates, a Trainer object."""
LABEL = {"sick": False, "causes": [], "kind": "sound WGAN-GP", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag
from dataclasses import dataclass
from sklearn.datasets import make_moons

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
@dataclass
class Config:
    steps: int = 600
    critic: int = 5
    batch: int = 128
    z: int = 6
    lr: float = 1e-3
    gp: float = 1.0

class Net(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(i, 80), nn.Linear(80, 80), nn.Linear(80, o)
    def forward(self, x):
        return self.c(F.silu(self.b(F.silu(self.a(x)))))

pool = torch.tensor(make_moons(20000, noise=0.06, random_state=SEED)[0], dtype=torch.float32)

class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        self.gen, self.critic = Net(cfg.z, 2), Net(2, 1)
        self.g_opt = torch.optim.Adam(self.gen.parameters(), cfg.lr, betas=(0.0, 0.9))
        self.d_opt = torch.optim.Adam(self.critic.parameters(), cfg.lr, betas=(0.0, 0.9))
    def batch(self):
        return pool[torch.randint(len(pool), (self.cfg.batch,))]
    def penalty(self, x, f):
        t = torch.rand(len(x), 1)
        m = (t * x + (1 - t) * f).requires_grad_()
        g, = torch.autograd.grad(self.critic(m).sum(), m, create_graph=True)
        return ((g.norm(2, 1) - 1) ** 2).mean()
    def train(self):
        for _ in range(self.cfg.steps):
            for _ in range(self.cfg.critic):
                x = self.batch()
                f = self.gen(torch.randn(len(x), self.cfg.z)).detach()
                loss = self.critic(f).mean() - self.critic(x).mean() + self.cfg.gp * self.penalty(x, f)
                self.d_opt.zero_grad(); loss.backward(); self.d_opt.step()
            self.g_opt.zero_grad()
            (-self.critic(self.gen(torch.randn(self.cfg.batch, self.cfg.z))).mean()).backward()
            self.g_opt.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

t = Trainer(Config())
with gandiag.Recorder(sys.argv[1], generator=t.gen, discriminator=t.critic, generator_optimizer=t.g_opt, discriminator_optimizer=t.d_opt, automatic=True):
    t.train()
e = energy(t.gen(torch.randn(1200, t.cfg.z)), pool[:1200])
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.03}))
