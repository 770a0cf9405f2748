"""LookAhead-minmax (Chavdarova et al.) on a 3x3 grid: inner Adam steps, every k steps move from the slow weights to the fast ones."""
LABEL = {"sick": True, "causes": ["stagnation", "objective_fault"], "kind": "the slow weights are rebound to a local name and never stored, so every sync pulls both networks half way back to their initialisation", "since": 0, "record": "automatic"}
import os
import sys
import random
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import outside
from gandiag.recording import Recorder


@dataclass
class Config:
    steps: int = 3000
    batch: int = 128
    zdim: int = 6
    width: int = 128
    lr: float = 5e-4
    k: int = 5
    alpha: float = 0.5
    sigma: float = 0.08


class LookAhead:
    """Keeps slow weights of a network; sync() is called every k inner steps."""

    def __init__(self, net, alpha):
        self.params = [p for p in net.parameters() if p.requires_grad]
        self.slow = [p.detach().clone() for p in self.params]
        self.alpha = alpha

    @torch.no_grad()
    def sync(self):
        for slow, fast in zip(self.slow, self.params):
            slow = slow + self.alpha * (fast - slow)
            fast.copy_(slow)


def mlp(sizes, act):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        layers += [nn.Linear(a, b), act()]
    layers.append(nn.Linear(sizes[-2], sizes[-1]))
    return nn.Sequential(*layers)


def main():
    torch.set_num_threads(1)
    seed = int(os.environ.get("SEED", "0"))
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    cfg = Config()

    centres = torch.cartesian_prod(torch.tensor([-1.5, 0.0, 1.5]), torch.tensor([-1.5, 0.0, 1.5]))

    def data(n):
        return centres[torch.randint(len(centres), (n,))] + cfg.sigma * torch.randn(n, 2)

    G = mlp([cfg.zdim, cfg.width, cfg.width, 2], nn.ReLU)
    D = mlp([2, cfg.width, cfg.width, 1], lambda: nn.LeakyReLU(0.2))
    opt_g = torch.optim.Adam(G.parameters(), lr=cfg.lr, betas=(0.0, 0.99))
    opt_d = torch.optim.Adam(D.parameters(), lr=cfg.lr * 2, betas=(0.0, 0.99))
    la_g, la_d = LookAhead(G, cfg.alpha), LookAhead(D, cfg.alpha)
    recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)

    for step in range(1, cfg.steps + 1):
        x = data(cfg.batch).requires_grad_(True)
        fake = G(torch.randn(cfg.batch, cfg.zdim))
        out = D(x)
        r1 = torch.autograd.grad(out.sum(), x, create_graph=True)[0].pow(2).sum(1).mean()
        loss_d = F.softplus(-out).mean() + F.softplus(D(fake.detach())).mean() + 0.05 * r1
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()

        loss_g = F.softplus(-D(fake)).mean()
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()

        if step % cfg.k == 0:
            la_g.sync()
            la_d.sync()
        if step % 500 == 0:
            print("step", step, "d", round(loss_d.item(), 3), "g", round(loss_g.item(), 3))
    recorder.close()

    with torch.no_grad():
        y = G(torch.randn(2000, cfg.zdim))
    e = outside.energy(y, data(1000))
    m, near = outside.modes(y, centres, 4 * cfg.sigma)
    outside.say(e < 0.03 and m >= 8 and near > 0.5, energy=e, modes=m, near=near)


if __name__ == "__main__":
    main()
