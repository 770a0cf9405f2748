"""MGAN: a mixture of four small generators, a discriminator and a classifier that tells the generators apart, on five blobs of unequal weight."""
LABEL = {"sick": False, "causes": [], "kind": "four generators sharing one module, each covers only part of the data by design (a diversity term), a third optimizer for the classifier; one blob is rare", "since": None, "record": "automatic"}

import os, sys
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

K, NZ, B, BETA = 4, 6, 128, 0.03
CENTRES = torch.tensor([[0.0, 0.0], [2.0, 2.0], [-2.0, 2.0], [-2.0, -2.0], [2.0, -2.0]])
WEIGHTS = torch.tensor([0.28, 0.22, 0.20, 0.16, 0.14])


def blobs(n):
    return CENTRES[torch.multinomial(WEIGHTS, n, replacement=True)] + 0.2 * torch.randn(n, 2)


class Mixture(nn.Module):
    def __init__(self):
        super().__init__()
        self.inputs = nn.ModuleList(nn.Linear(NZ, 64) for _ in range(K))
        self.shared = nn.Sequential(nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, z):
        return self.shared(torch.cat([layer(part) for layer, part in zip(self.inputs, z.chunk(K))]))


G = Mixture()
D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
C = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, K))
opt_g = torch.optim.Adam(G.parameters(), 5e-4, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.99))
opt_c = torch.optim.Adam(C.parameters(), 1e-3, betas=(0.5, 0.99))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)
who = torch.arange(K).repeat_interleave(B // K)

for step in range(3200):
    if step == 2200:
        for o in (opt_g, opt_d, opt_c):
            o.param_groups[0]['lr'] *= 0.2
    x = blobs(B).requires_grad_(True)
    y = G(torch.randn(B, NZ))
    sx, sy = D(x), D(y.detach())
    slope, = torch.autograd.grad(sx.sum(), x, create_graph=True)
    d_loss = F.softplus(-sx).mean() + F.softplus(sy).mean() + 0.05 * slope.square().sum(1).mean()
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()

    c_loss = F.cross_entropy(C(y.detach()), who)
    opt_c.zero_grad()
    c_loss.backward()
    opt_c.step()

    g_loss = F.softplus(-D(y)).mean() + BETA * F.cross_entropy(C(y), who)
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
recorder.close()

with torch.no_grad():
    s = G(torch.randn(2000, NZ))
s = s[torch.randperm(len(s))]
d = torch.cdist(s, CENTRES)
share = torch.bincount(d.argmin(1)[d.min(1).values < 0.8], minlength=5) / len(s)
e = outside.energy(s, blobs(2000))
outside.say(e < 0.02 and share.min() > 0.04 and share.sum() > 0.85, energy=e, rarest=share.min().item(), near=share.sum().item())
