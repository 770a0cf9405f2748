"""Surrogate of a stochastic buckling simulation: load -> deflection, with its scatter."""
LABEL = {"sick": True, "causes": ["objective_fault", "mode_collapse"], "kind": "the paired squared error (weight 100) outweighs the game, so the surrogate gives the mean and ignores its noise", "since": 0, "record": "automatic"}
import os
import random
import sys
import numpy as np
import torch
import torch.nn as nn
import outside
from gandiag.recording import Recorder

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)

LAMBDA_PAIR = 100.0
NZ = 4


def run_simulator(load):
    """a column under load: above the critical load it buckles to either side"""
    beyond = torch.clamp(load, min=0.0)
    side = torch.sign(torch.rand_like(load) - 0.5)
    mid = side * torch.sqrt(beyond) + 0.08 * torch.randn_like(load)
    top = 0.5 * mid ** 2 + 0.3 * load + 0.05 * torch.randn_like(load)
    return torch.cat([mid, top], 1)


def design(n):
    return torch.rand(n, 1) * 2 - 1


class Surrogate(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1 + NZ, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 2))

    def forward(self, load):
        return self.net(torch.cat([load, torch.randn(len(load), NZ)], 1))


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, pair):
        return self.net(pair)


class Trainer:
    def __init__(self, out):
        self.G, self.D = Surrogate(), Judge()
        self.opt_g = torch.optim.Adam(self.G.parameters(), lr=5e-4, betas=(0.5, 0.999))
        self.opt_d = torch.optim.Adam(self.D.parameters(), lr=1e-3, betas=(0.5, 0.999))
        self.adv, self.pair = nn.BCEWithLogitsLoss(), nn.MSELoss()
        self.loads = design(10000)
        self.results = run_simulator(self.loads)
        self.recorder = Recorder(out, generator=self.G, discriminator=self.D, generator_optimizer=self.opt_g, discriminator_optimizer=self.opt_d, automatic=True)

    def step(self, n=128):
        i = torch.randint(0, len(self.loads), (n,))
        load, y = self.loads[i], self.results[i]
        y_hat = self.G(load)

        self.opt_d.zero_grad()
        r = self.D(torch.cat([load, y], 1))
        f = self.D(torch.cat([load, y_hat.detach()], 1))
        ld = 0.5 * (self.adv(r, torch.ones_like(r)) + self.adv(f, torch.zeros_like(f)))
        ld.backward()
        self.opt_d.step()

        self.opt_g.zero_grad()
        f = self.D(torch.cat([load, y_hat], 1))
        lg = self.adv(f, torch.ones_like(f)) + LAMBDA_PAIR * self.pair(y_hat, y)
        lg.backward()
        self.opt_g.step()
        return ld.item(), lg.item()

    def fit(self, steps):
        for k in range(steps):
            ld, lg = self.step()
            if k % 500 == 0:
                print(f"step {k}: D {ld:.3f}  G {lg:.3f}")
        self.recorder.close()


trainer = Trainer(sys.argv[1])
trainer.fit(2500)

load = design(1000)
with torch.no_grad():
    made = trainer.G(load)
true = run_simulator(load)
high = load[:, 0] > 0.4
spread, spread_true = float(made[high, 0].std()), float(true[high, 0].std())
e = outside.energy(torch.cat([load, made], 1), torch.cat([load, true], 1))
outside.say(e < 0.05 and spread > 0.6 * spread_true, energy=e, spread=spread, spread_true=spread_true)
