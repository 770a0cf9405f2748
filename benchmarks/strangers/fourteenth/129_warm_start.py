"""Two concentric circles with a learning rate warm-up for both players."""
LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "oscillation", "mode_collapse"], "kind": "the warm-up factor (step + 1) / warm-up has no cap, so the rate grows linearly to 150 times its base", "since": 20, "record": "attach"}
import argparse
import os
import random
import numpy as np
import torch
import torch.nn as nn
from torch.optim.lr_scheduler import LambdaLR
import outside


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--steps", type=int, default=3000)
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--lr", type=float, default=4e-4)
    p.add_argument("--warmup", type=int, default=20)
    p.add_argument("--zdim", type=int, default=5)
    args, _ = p.parse_known_args()
    return args


def circles(n):
    r = torch.where(torch.rand(n) < 0.5, 0.7, 1.6)
    a = 2 * np.pi * torch.rand(n)
    return torch.stack([r * a.cos(), r * a.sin()], 1) + 0.04 * torch.randn(n, 2)


def warmup(optimizer, n):
    return LambdaLR(optimizer, lambda step: (step + 1) / n)


class MLP(nn.Module):
    def __init__(self, i, o, h=128):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(i, h), nn.Linear(h, h), nn.Linear(h, h)])
        self.head = nn.Linear(h, o)

    def forward(self, x):
        for l in self.layers:
            x = nn.functional.leaky_relu(l(x), 0.2)
        return self.head(x)


class Trainer:
    def __init__(self, args):
        self.args = args
        self.G, self.D = MLP(args.zdim, 2), MLP(2, 1)
        self.opt_g = torch.optim.Adam(self.G.parameters(), lr=args.lr, betas=(0.5, 0.999))
        self.opt_d = torch.optim.Adam(self.D.parameters(), lr=args.lr, betas=(0.5, 0.999))
        self.schedules = [warmup(self.opt_g, args.warmup), warmup(self.opt_d, args.warmup)]
        self.loss = nn.BCEWithLogitsLoss()

    def noise(self, n=None):
        return torch.randn(n or self.args.batch, self.args.zdim)

    def d_step(self):
        real, fake = circles(self.args.batch).requires_grad_(True), self.G(self.noise()).detach()
        lr_, lf_ = self.D(real), self.D(fake)
        loss = self.loss(lr_, torch.ones_like(lr_)) + self.loss(lf_, torch.zeros_like(lf_))
        slope, = torch.autograd.grad(lr_.sum(), real, create_graph=True)
        loss = loss + 0.03 * slope.pow(2).sum(1).mean()
        self.opt_d.zero_grad(); loss.backward(); self.opt_d.step()
        return loss.item()

    def g_step(self):
        out = self.D(self.G(self.noise()))
        loss = self.loss(out, torch.ones_like(out))
        self.opt_g.zero_grad(); loss.backward(); self.opt_g.step()
        return loss.item()

    def run(self):
        for step in range(self.args.steps):
            d, g = self.d_step(), self.g_step()
            for s in self.schedules:
                s.step()
            if step % 500 == 0:
                print(f"[{step}] d={d:.3f} g={g:.3f}")

    @torch.no_grad()
    def report(self):
        y = self.G(self.noise(2000))
        e = outside.energy(y, circles(1000))
        r = y.norm(dim=1)
        on = float((((r - 0.7).abs() < 0.2) | ((r - 1.6).abs() < 0.2)).float().mean())
        outside.say(e < 0.03 and on > 0.6, energy=e, on_circles=on)


if __name__ == "__main__":
    torch.set_num_threads(1)
    SEED = int(os.environ.get("SEED", "0"))
    random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
    t = Trainer(get_args())
    t.run()
    t.report()
