"""Toy GAN trainer used in our reading group to look at how the samples move on the ring of Gaussians."""
LABEL = {"sick": True, "causes": ["mode_collapse", "learning_rate", "discriminator_weakness", "mode_dropping"],
         "kind": "ring of 8 Gaussians, G takes ten updates for each update of D: all samples fall on one spot", "since": 0, "record": "automatic"}
import os
import random
import sys
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
np.random.seed(SEED)
random.seed(SEED)
torch.set_num_threads(1)


@dataclass
class Config:
    z_dim: int = 16
    hidden: int = 96
    batch: int = 128
    iters: int = 1500
    d_steps: int = 1
    g_steps: int = 10
    lr: float = 1e-3
    n_modes: int = 8
    std: float = 0.1


class MLP(nn.Module):
    def __init__(self, d_in, hidden, d_out, act):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(d_in, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, d_out)
        self.act = act

    def forward(self, x):
        return self.l3(self.act(self.l2(self.act(self.l1(x)))))


class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        t = np.linspace(0, 2 * np.pi, cfg.n_modes, endpoint=False)
        self.centres = torch.tensor(np.c_[np.cos(t), np.sin(t)], dtype=torch.float32) * 1.5
        self.gen = MLP(cfg.z_dim, cfg.hidden, 2, F.relu)
        self.dis = MLP(2, cfg.hidden, 1, F.elu)
        self.opt_g = torch.optim.Adam(self.gen.parameters(), lr=cfg.lr, betas=(0.5, 0.9))
        self.opt_d = torch.optim.Adam(self.dis.parameters(), lr=cfg.lr, betas=(0.5, 0.9))

    def real(self, n):
        return self.centres[torch.randint(self.cfg.n_modes, (n,))] + self.cfg.std * torch.randn(n, 2)

    def fake(self, n):
        return self.gen(torch.randn(n, self.cfg.z_dim))

    def step_d(self):
        r, f = self.dis(self.real(self.cfg.batch)), self.dis(self.fake(self.cfg.batch).detach())
        loss = F.softplus(-r).mean() + F.softplus(f).mean()
        self.opt_d.zero_grad(); loss.backward(); self.opt_d.step()
        return loss.item()

    def step_g(self):
        loss = F.softplus(-self.dis(self.fake(self.cfg.batch))).mean()
        self.opt_g.zero_grad(); loss.backward(); self.opt_g.step()
        return loss.item()

    def run(self):
        for i in range(self.cfg.iters // self.cfg.g_steps):
            for _ in range(self.cfg.d_steps):
                ld = self.step_d()
            for _ in range(self.cfg.g_steps):
                lg = self.step_g()
            if i % 500 == 0:
                print(f"{i:5d} d={ld:.3f} g={lg:.3f}")


if __name__ == "__main__":
    tr = Trainer(Config())
    with gandiag.Recorder(sys.argv[1], generator=tr.gen, discriminator=tr.dis, generator_optimizer=tr.opt_g,
                          discriminator_optimizer=tr.opt_d, automatic=True):
        tr.run()
    with torch.no_grad():
        x = tr.fake(1000)
    m, near = outside.modes(x, tr.centres, 0.4)
    e = outside.energy(x, tr.real(1000))
    outside.say(m >= 7 and e < 0.08, modes=m, near=near, energy=e, spread=x.std(0).mean().item())
