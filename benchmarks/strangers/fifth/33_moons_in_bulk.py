"""Two moons, batches of two thousand, an own sign optimizer (Lion) on a triangular cycle of rates."""
LABEL = {"sick": False, "causes": [], "kind": "well: self-written sign optimizer, huge batches, cyclical rates", "since": None, "record": "automatic"}
import math, os, sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_moons
import gandiag, outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))
    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_((m * b1 + p.grad * (1 - b1)).sign(), alpha=-group["lr"])
                m.mul_(b2).add_(p.grad, alpha=1 - b2)

def triangle(step, low, high, period=80):
    phase = abs((step % period) / period * 2 - 1)       # 1 .. 0 .. 1
    return low + (high - low) * (1 - phase)

x, _ = make_moons(20000, noise=0.06, random_state=SEED)
x = torch.tensor((x - x.mean(0)) / x.std(0), dtype=torch.float32)

class MLP(nn.Module):
    def __init__(self, i, o, w=64):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(i, w), nn.Linear(w, w), nn.Linear(w, o)
    def forward(self, t):
        t = F.silu(self.a(t))
        return self.c(t + F.silu(self.b(t)))

gen, dis = MLP(4, 2), MLP(2, 1)
opt_gen = Lion(gen.parameters(), betas=(0.5, 0.9))
opt_dis = Lion(dis.parameters(), betas=(0.5, 0.9), weight_decay=0.01)
BATCH = 2048

def fit(steps):
    for s in range(steps):
        for opt, top in ((opt_gen, 8e-4), (opt_dis, 2e-3)):
            for g in opt.param_groups:
                g["lr"] = triangle(s, top / 20, top) * (1 if s < steps * 0.6 else 0.35)
        real = x[torch.randint(len(x), (BATCH,))].requires_grad_(True)
        fake = gen(torch.randn(BATCH, 4))
        on_real = dis(real)
        r1 = torch.autograd.grad(on_real.sum(), real, create_graph=True)[0].pow(2).sum(1).mean()
        loss = F.softplus(-on_real).mean() + F.softplus(dis(fake.detach())).mean() + 0.05 * r1
        opt_dis.zero_grad(); loss.backward(); opt_dis.step()
        loss = F.softplus(-dis(fake)).mean()
        opt_gen.zero_grad(); loss.backward(); opt_gen.step()

with gandiag.Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=opt_gen, discriminator_optimizer=opt_dis, automatic=True):
    fit(620)

with torch.no_grad():
    s = gen(torch.randn(1000, 4))
e = outside.energy(s, x[:1000])
d = torch.cdist(s, x[:8000]).min(1).values
outside.say(e < 0.02 and float((d < 0.2).float().mean()) > 0.7, energy=e, on_moons=float((d < 0.2).float().mean()))
