"""Extrapolation from the past is left out: full extragradient with Adam on the 25-Gaussian grid (Gidel et al. 2018)."""
LABEL = {"sick": False, "causes": [], "kind": "each iteration moves both networks, takes gradients there, jumps back and moves again; parameters go to and fro", "since": None, "record": "attach"}
import os
import random
import itertools
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
for f in (random.seed, np.random.seed, torch.manual_seed):
    f(SEED)

GRID = torch.tensor(list(itertools.product([-2., -1., 0., 1., 2.], repeat=2)))
SIGMA = 0.09


def p_data(n):
    return GRID[torch.randint(25, (n,))] + SIGMA * torch.randn(n, 2)


class Net(nn.Module):
    def __init__(self, d_in, d_out, h=160, slope=0.0):
        super().__init__()
        self.fc1 = nn.Linear(d_in, h)
        self.fc2 = nn.Linear(h, h)
        self.fc3 = nn.Linear(h, h)
        self.out = nn.Linear(h, d_out)
        self.slope = slope

    def forward(self, x):
        for fc in (self.fc1, self.fc2, self.fc3):
            x = F.leaky_relu(fc(x), self.slope)
        return self.out(x)


class ExtraGame:
    def __init__(self, nz=2, batch=160, lr=5e-4, penalty=0.02):
        self.nz, self.batch, self.penalty = nz, batch, penalty
        self.G, self.D = Net(nz, 2), Net(2, 1, slope=0.2)
        self.opts = [torch.optim.Adam(self.G.parameters(), lr=lr, betas=(0.5, 0.99)),
                     torch.optim.Adam(self.D.parameters(), lr=lr * 2, betas=(0.5, 0.99))]
        self.all = list(self.G.parameters()) + list(self.D.parameters())

    def gradients(self):
        x = p_data(self.batch).requires_grad_(True)
        z = torch.rand(self.batch, self.nz) * 2 - 1
        y = self.G(z)
        sx = self.D(x)
        gp = torch.autograd.grad(sx.sum(), x, create_graph=True)[0].pow(2).sum(1).mean()
        d = F.softplus(-sx).mean() + F.softplus(self.D(y.detach())).mean() + self.penalty * gp
        g = F.softplus(-self.D(y)).mean()
        gg = torch.autograd.grad(g, list(self.G.parameters()))
        gd = torch.autograd.grad(d, list(self.D.parameters()))
        for p, v in zip(self.all, gg + gd):
            p.grad = v
        return d.item(), g.item()

    def iterate(self):
        here = [p.detach().clone() for p in self.all]
        self.gradients()
        for o in self.opts:
            o.step()
        d, g = self.gradients()                  # gradient at the extrapolated point ...
        with torch.no_grad():
            for p, h in zip(self.all, here):
                p.copy_(h)
        for o in self.opts:                      # ... applied from where we were
            o.step()
        return d, g


game = ExtraGame()
for it in range(2000):
    d, g = game.iterate()
    if it % 400 == 0:
        print(f"iteration {it}: d={d:.4f} g={g:.4f}")

with torch.no_grad():
    y = game.G(torch.rand(2500, game.nz) * 2 - 1)
e = outside.energy(y, p_data(1000))
m, near = outside.modes(y, GRID, 4 * SIGMA)
outside.say(e < 0.02 and m >= 22 and near > 0.5, energy=e, modes=m, near=near)
