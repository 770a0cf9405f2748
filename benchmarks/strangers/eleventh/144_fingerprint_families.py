"""Relativistic GAN (RSGAN) with gradient clipping and R1 for chemistry fingerprints of 10 correlated measurements in four families."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence"], "kind": "the relativistic G loss is copied from D with its sign: G is pushed away from the data", "since": 0, "record": "attach"}
import os, random
import numpy as np, torch
import torch.nn as nn, torch.nn.functional as F
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

rs = np.random.RandomState(7)
MEAN, MIX = rs.randn(4, 10) * .9, rs.randn(4, 3, 10) * .4
def families(n):
    k = np.random.randint(0, 4, n)
    return torch.tensor(MEAN[k] + np.einsum("ni,nij->nj", np.random.randn(n, 3), MIX[k]) + .1 * np.random.randn(n, 10)).float()

def noise(batch, dim=16):
    return torch.randn(batch, dim)

class MLP(nn.Module):
    def __init__(self, i, o, width=128, depth=3):
        super().__init__()
        self.inp = nn.Linear(i, width)
        self.mid = nn.ModuleList(nn.Linear(width, width) for _ in range(depth - 1))
        self.out = nn.Linear(width, o)
    def forward(self, x):
        x = F.leaky_relu(self.inp(x), .2)
        for m in self.mid:
            x = x + F.leaky_relu(m(x), .2)
        return self.out(x)

gen, disc = MLP(16, 10), MLP(10, 1)
opts = {"gen": torch.optim.Adam(gen.parameters(), lr=3e-4, betas=(.5, .99)), "disc": torch.optim.Adam(disc.parameters(), lr=6e-4, betas=(.5, .99))}
train_set = families(10000)
for step in range(2200):
    x = train_set[torch.randint(0, 10000, (96,))].requires_grad_()
    fake = gen(noise(96))
    score = disc(x)
    penalty = torch.autograd.grad(score.sum(), x, create_graph=True)[0].square().sum(1).mean()
    loss_d = F.softplus(-(score - disc(fake.detach()))).mean() + .2 * penalty
    opts["disc"].zero_grad(); loss_d.backward(); nn.utils.clip_grad_norm_(disc.parameters(), 1.); opts["disc"].step()
    loss_g = F.softplus(-(disc(x) - disc(fake))).mean()
    opts["gen"].zero_grad(); loss_g.backward(); nn.utils.clip_grad_norm_(gen.parameters(), 1.); opts["gen"].step()

with torch.no_grad(): s = gen(torch.randn(1000, 16))
e = outside.energy(s, families(1000))
share = torch.cdist(s, torch.tensor(MEAN).float()).argmin(1).bincount(minlength=4).float() / 1000
outside.say(e < .03 and share.min() > .1, energy=e, smallest_family=float(share.min()))
