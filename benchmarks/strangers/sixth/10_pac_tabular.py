"""Customers table (two numbers, a category of five), Gumbel softmax with straight-through, PacGAN discriminator."""
import os, sys
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "mixed table with straight-through Gumbel softmax, D sees packs of "
        "four rows, dropout in D", "since": None,
         "record": "automatic"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
SHARES = torch.tensor([0.35, 0.25, 0.2, 0.12, 0.08])
MEANS = torch.tensor([[-1.5, -1.0], [1.2, 1.4], [-0.2, 0.6], [1.6, -1.2], [-1.4, 1.6]])

def table(n):
    k = torch.multinomial(SHARES, n, replacement=True)
    return torch.cat([MEANS[k] + 0.25 * torch.randn(n, 2), F.one_hot(k, 5).float()], 1)

class RowMaker(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(12, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
        self.numbers, self.category = nn.Linear(128 + 5, 2), nn.Linear(128, 5)
        self.mid = nn.Sequential(nn.Linear(133, 133), nn.ReLU())
    def forward(self, z):
        h = self.trunk(z)
        c = F.gumbel_softmax(self.category(h), tau=0.8, hard=True)
        return torch.cat([self.numbers(self.mid(torch.cat([h, c], 1))), c], 1)

class PackJudge(nn.Module):
    pac = 4
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(7 * self.pac, 192), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(192, 192),
                nn.LeakyReLU(0.2), nn.Linear(192, 1))
    def forward(self, rows):
        return self.net(rows.reshape(-1, 7 * self.pac))

def fit(G, D, og, od, steps=1900, rows=160):
    for step in range(steps):
        real = table(rows).requires_grad_()
        fake = G(torch.randn(rows, 12))
        r, f = D(real), D(fake.detach())
        slope = torch.autograd.grad(r.sum(), real, create_graph=True)[0].view(-1, 28).square().sum(1).mean()
        od.zero_grad()
        (F.softplus(-r).mean() + F.softplus(f).mean() + 0.1 * slope).backward()
        od.step()
        og.zero_grad()
        F.softplus(-D(fake)).mean().backward()
        og.step()

G, D = RowMaker(), PackJudge()
og = torch.optim.Adam(G.parameters(), 8e-4, (0.2, 0.99))
od = torch.optim.Adam(D.parameters(), 8e-4, (0.2, 0.99))
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    fit(G, D, og, od)
with torch.no_grad():
    s = G(torch.randn(2000, 12))
e = outside.energy(s, table(1000))
share = s[:, 2:].mean(0)
off = (share - SHARES).abs().max().item()
k = s[:, 2:].argmax(1)
agree = ((s[:, :2] - MEANS[k]).norm(dim=1) < 0.8).float().mean().item()
outside.say(e < 0.02 and off < 0.06 and agree > 0.9, energy=e, share_off=off, agree=agree)
