"""A GAN: hinge ttur blobs."""
import os, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm
import outside

LABEL = {"sick": False, "causes": [], "kind": "tiny batches of 16, D's rate four times G's (TTUR), hinge, spectral norm and self-attention on 3x8x8 blobs: noisy losses",
         "since": None, "record": "attach"}

S = int(os.environ.get("SEED", "0"))
random.seed(S); np.random.seed(S); torch.manual_seed(S)
torch.set_num_threads(1)


def blobs(n):
    p = torch.rand(n, 2, 1, 1) * 4 + 1.5
    r = torch.rand(n, 1, 1) * 1.2 + 0.8
    grid = torch.arange(8.)
    q = ((grid[None, :, None] - p[:, 0]) ** 2 + (grid[None, None] - p[:, 1]) ** 2) / (2 * r ** 2)
    hue = torch.rand(n, 1) * torch.tensor([[1., 0., 0.]]) + torch.rand(n, 1) * torch.tensor([[0., 1., 0.]]) + torch.tensor([[0., 0., .6]])
    return torch.exp(-q)[:, None] * hue[:, :, None, None] * 2 - 1


class SelfAttn(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.q, self.k, self.v = (spectral_norm(nn.Conv2d(c, m, 1)) for m in (c // 4, c // 4, c))
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        q, k, v = (f(x).flatten(2) for f in (self.q, self.k, self.v))
        a = torch.softmax(q.transpose(1, 2) @ k, -1)
        return x + self.gamma * (v @ a.transpose(1, 2)).view_as(x)


class SAGen(nn.Module):
    def __init__(self, c=24):
        super().__init__()
        self.c = c
        self.lin = nn.Linear(12, c * 16)
        self.attn = SelfAttn(c)
        self.rgb = nn.ConvTranspose2d(c, 3, 4, 2, 1)

    def forward(self, z):
        h = F.relu(self.attn(F.relu(self.lin(z)).view(-1, self.c, 4, 4)))
        return torch.tanh(self.rgb(h))


class SADisc(nn.Module):
    def __init__(self, c=24):
        super().__init__()
        self.a = spectral_norm(nn.Conv2d(3, c, 4, 2, 1))
        self.b = spectral_norm(nn.Conv2d(c, c, 3, 1, 1))
        self.attn = SelfAttn(c)
        self.c = spectral_norm(nn.Linear(c * 16, 1))

    def forward(self, x):
        h = F.leaky_relu(self.b(F.leaky_relu(self.a(x), .1)), .1)
        return self.c(self.attn(h).flatten(1))


gen, disc = SAGen(), SADisc()
og = torch.optim.Adam(gen.parameters(), 1e-3, (0., .9))
od = torch.optim.Adam(disc.parameters(), 4e-3, (0., .9))
B = 16
for n in range(1000):
    od.zero_grad()
    real, fake = blobs(B), gen(torch.randn(B, 12)).detach()
    hinge = F.relu(1 - disc(real)).mean() + F.relu(1 + disc(fake)).mean()
    hinge.backward()
    od.step()
    og.zero_grad()
    adv = -disc(gen(torch.randn(B, 12))).mean()
    adv.backward()
    og.step()
    if not n % 400:
        print(n, hinge.item(), adv.item())

with torch.no_grad():
    f = gen(torch.randn(1000, 12))
e = outside.energy(f, blobs(1000))
outside.say(e < .06, energy=e)
