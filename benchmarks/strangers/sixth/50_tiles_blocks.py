"""Striped RGB tiles, 8x8, with a generator made of identical blocks."""
import os
import torch
from torch import nn
import torch.nn.functional as F
import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance", "dead_layers"], "since": 0, "record": "attach",
         "kind": "every block of G ends in a ReLU, the last one too, and Tanh comes after it: nothing below zero can be made"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)


def kinds():
    """Upright or level stripes, two phases, warm or cold: eight kinds."""
    t = torch.arange(8.)
    out = []
    for level in (0, 1):
        for phase in (0, 1):
            wave = torch.cos(2 * torch.pi * t / 8 + phase * torch.pi / 2)
            img = (wave[:, None] if level else wave[None]).expand(8, 8)
            out += [torch.tensor(tone).view(3, 1, 1) * img for tone in ((0.9, 0.2, -0.4), (-0.4, 0.3, 0.9))]
    return torch.stack(out)


KINDS = kinds()


def tiles(n):
    return KINDS[torch.randint(0, 8, (n,))] * (0.8 + 0.2 * torch.rand(n, 1, 1, 1)) + 0.02 * torch.randn(n, 3, 8, 8)


class Block(nn.Module):
    def __init__(self, i, o, act=True):
        super().__init__()
        self.linear, self.act = nn.Linear(i, o), nn.ReLU() if act else nn.Identity()

    def forward(self, x):
        return self.act(self.linear(x))


class Generator(nn.Module):
    def __init__(self, sizes=(16, 128, 192, 192)):
        super().__init__()
        self.blocks = nn.Sequential(*[Block(i, o) for i, o in zip(sizes[:-1], sizes[1:])])

    def forward(self, z):
        return torch.tanh(self.blocks(z)).view(-1, 3, 8, 8)


net_g = Generator()
net_d = nn.Sequential(nn.Flatten(), nn.Linear(192, 160), nn.LeakyReLU(0.2), nn.Linear(160, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
opt_g = torch.optim.Adam(net_g.parameters(), 1e-3, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(net_d.parameters(), 1e-3, betas=(0.5, 0.99))
for step in range(1000):
    real = tiles(48).requires_grad_()
    fake = net_g(torch.randn(48, 16))
    score = net_d(real)
    slope, = torch.autograd.grad(score.sum(), real, create_graph=True)
    loss_d = F.softplus(-score).mean() + F.softplus(net_d(fake.detach())).mean() + slope.pow(2).sum((1, 2, 3)).mean()
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()
    loss_g = F.softplus(-net_d(fake)).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()

with torch.no_grad():
    s = net_g(torch.randn(800, 16))
m, share = outside.modes(s, KINDS * 0.9, 3.0)
e = outside.energy(s, tiles(800))
outside.say(m >= 7 and share > 0.75 and e < 0.05, modes=m, of=8, good=share, energy=e)
