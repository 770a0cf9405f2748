"""A GRU writes spirals point by point, a GRU reads them; hinge loss with feature matching."""
import os
import math
import torch
from torch import nn
import torch.nn.functional as F
import outside

LABEL = {"sick": False, "causes": [], "since": None, "record": "attach",
         "kind": "recurrent networks on both sides, gradient clipping, feature matching beside the hinge loss, noise at every time step"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
T = 12


def spirals(n):
    turn = torch.where(torch.rand(n, 1) < 0.5, 1.0, -1.0)
    start = 2 * math.pi * torch.rand(n, 1)
    grow = 0.5 + 0.5 * torch.rand(n, 1)
    t = torch.linspace(0.2, 1, T)[None]
    angle = start + turn * 1.5 * math.pi * t
    return torch.stack([grow * t * angle.cos(), grow * t * angle.sin()], 2)


class Writer(nn.Module):
    def __init__(self, nz=8, h=48):
        super().__init__()
        self.nz = nz
        self.init = nn.Sequential(nn.Linear(nz, h), nn.LeakyReLU(0.2), nn.Linear(h, h))
        self.rnn = nn.GRU(nz + 1, h, batch_first=True)
        self.out = nn.Sequential(nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, 2))

    def forward(self, z):
        clock = torch.linspace(-1, 1, T).view(1, T, 1).expand(len(z), T, 1)
        h, _ = self.rnn(torch.cat([z[:, None].expand(-1, T, -1), clock], 2), torch.tanh(self.init(z))[None].contiguous())
        return self.out(h)


class Reader(nn.Module):
    def __init__(self, h=48):
        super().__init__()
        self.rnn = nn.GRU(4, h, batch_first=True)
        self.mid = nn.Sequential(nn.Linear(2 * h, 64), nn.LeakyReLU(0.2))
        self.out = nn.Linear(64, 1)

    def features(self, x):
        step = F.pad(x[:, 1:] - x[:, :-1], (0, 0, 1, 0)) * 4
        h, last = self.rnn(torch.cat([x * 2, step], 2))
        return self.mid(torch.cat([last[0], h.mean(1)], 1))

    def forward(self, x):
        return self.out(self.features(x))


writer, reader = Writer(), Reader()
ow = torch.optim.Adam(writer.parameters(), 1e-3, betas=(0.5, 0.99))
orr = torch.optim.Adam(reader.parameters(), 1e-3, betas=(0.5, 0.99))
for step in range(1100):
    real = spirals(48).requires_grad_()
    fake = writer(torch.randn(48, 8))
    score = reader(real)
    slope, = torch.autograd.grad(score.sum(), real, create_graph=True)
    d_loss = F.relu(1 - score).mean() + F.relu(1 + reader(fake.detach())).mean() + 0.02 * slope.pow(2).sum((1, 2)).mean()
    orr.zero_grad()
    d_loss.backward()
    nn.utils.clip_grad_norm_(reader.parameters(), 2.0)
    orr.step()
    match = (reader.features(fake).mean(0) - reader.features(real.detach()).mean(0).detach()).pow(2).mean()
    g_loss = -reader(fake).mean() + match
    ow.zero_grad()
    g_loss.backward()
    nn.utils.clip_grad_norm_(writer.parameters(), 2.0)
    ow.step()

with torch.no_grad():
    s = writer(torch.randn(1000, 8))
r = spirals(1000)
e = outside.energy(s, r)
turn = torch.sign(s[:, :-1, 0] * s[:, 1:, 1] - s[:, :-1, 1] * s[:, 1:, 0])
one_way = float((turn.mean(1).abs() > 0.7).float().mean())
left = float((turn.mean(1) > 0).float().mean())
outside.say(e < 0.025 and one_way > 0.75 and 0.25 < left < 0.75, energy=e, one_way=one_way, left=left)
