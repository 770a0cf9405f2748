"""Trainer for 8x8 checker and stripe tiles that is interrupted twice, reloads its weights with new optimizers and warms the rates up again."""
import copy, io, os, random, sys
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import outside

LABEL = {"sick": False, "causes": [], "kind": "healthy, two restarts from checkpoint with fresh optimizers and warmup", "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


def tiles(n):
    yy, xx = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    kinds = torch.stack([(xx // 2) % 2, (yy // 2) % 2, (xx // 2 + yy // 2) % 2, ((xx + yy) // 2) % 2]).float() * 2 - 1
    k = torch.randint(0, 4, (n,))
    gain = 0.5 + 0.3 * torch.rand(n, 1, 1)
    return (kinds[k] * gain + 0.05 * torch.randn(n, 8, 8)).unsqueeze(1)


class TileG(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(12, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.Tanh())

    def forward(self, z):
        return self.f(z).view(-1, 1, 8, 8)


class TileD(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(256, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))

    def forward(self, x):
        return self.f(x)


class GANTrainer:
    warmup = 100

    def __init__(self, lr=8e-4, batch=64):
        self.g, self.d, self.lr, self.batch, self.seen = TileG(), TileD(), lr, batch, 0
        self.make_optimizers()

    def make_optimizers(self):
        self.og = torch.optim.Adam(self.g.parameters(), self.lr, (0.5, 0.99))
        self.od = torch.optim.Adam(self.d.parameters(), self.lr, (0.5, 0.99))
        ramp = lambda s: min(1.0, (s + 1) / self.warmup)
        self.sched = [torch.optim.lr_scheduler.LambdaLR(o, ramp) for o in (self.og, self.od)]

    def save(self):
        buf = io.BytesIO()
        torch.save({"g": self.g.state_dict(), "d": self.d.state_dict(), "seen": self.seen}, buf)
        return buf.getvalue()

    def load(self, blob):
        state = torch.load(io.BytesIO(blob))
        self.g.load_state_dict(state["g"]); self.d.load_state_dict(state["d"]); self.seen = state["seen"]
        self.make_optimizers()

    def train(self, steps):
        for _ in range(steps):
            real = tiles(self.batch).requires_grad_(True)
            fake = self.g(torch.randn(self.batch, 12))
            out = self.d(real)
            r1 = torch.autograd.grad(out.sum(), real, create_graph=True)[0].flatten(1).pow(2).sum(1).mean()
            ld = F.softplus(-out).mean() + F.softplus(self.d(fake.detach())).mean() + 0.1 * r1
            self.od.zero_grad(); ld.backward(); self.od.step()
            lg = F.softplus(-self.d(fake)).mean()
            self.og.zero_grad(); lg.backward(); self.og.step()
            for s in self.sched:
                s.step()
            self.seen += 1
            if self.seen % 300 == 0:
                print(f"seen {self.seen} D {ld.item():.3f} G {lg.item():.3f} lr {self.sched[0].get_last_lr()[0]:.1e}")


trainer = GANTrainer()
for session in range(3):
    trainer.train(700)
    trainer.load(trainer.save())

with torch.no_grad():
    s = trainer.g(torch.randn(1000, 12))
yy, xx = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
centres = (torch.stack([(xx // 2) % 2, (yy // 2) % 2, (xx // 2 + yy // 2) % 2, ((xx + yy) // 2) % 2]).float() * 2 - 1) * 0.65
m, near = outside.modes(s, centres, 2.0)
e = outside.energy(s, tiles(1000))
outside.say(m == 4 and near > 0.8 and e < 0.06, modes=m, near=near, energy=e)
