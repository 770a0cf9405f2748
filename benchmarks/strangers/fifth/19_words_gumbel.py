"""Toy language: words of six letters over an alphabet of eight."""
LABEL = {"sick": False, "causes": [], "kind": "healthy word generator by straight-through Gumbel softmax", "since": None, "record": "attach"}
# Toy language: words of six letters over an alphabet of eight; consonant / vowel alternate, and some pairs are preferred.
import os
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import outside

torch.set_num_threads(1)
seed = int(os.environ.get("SEED", "0"))
torch.manual_seed(seed)

L, V = 6, 8          # letters 0-4 consonants, 5-7 vowels
rng = np.random.default_rng(42)
FIRST = rng.dirichlet(np.ones(5) * 2)
C2V = rng.dirichlet(np.ones(3) * 1.0, 5)
V2C = rng.dirichlet(np.ones(5) * 1.0, 3)

def corpus(n, seed):
    r = np.random.default_rng(seed)
    out = np.zeros((n, L), int)
    for i in range(n):
        c = r.choice(5, p=FIRST)
        for j in range(0, L, 2):
            v = r.choice(3, p=C2V[c])
            out[i, j], out[i, j + 1] = c, 5 + v
            c = r.choice(5, p=V2C[v])
    return torch.tensor(out)

words = corpus(4000, seed)
onehot = F.one_hot(words, V).float()

class Writer(nn.Module):
    def __init__(self, z=16, h=128):
        super().__init__()
        self.z = z
        self.f = nn.Sequential(nn.Linear(z, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, L * V))
    def forward(self, n, tau=1.0):
        logits = self.f(torch.randn(n, self.z)).view(n, L, V)
        return F.gumbel_softmax(logits, tau=tau, hard=True)

class Reader(nn.Module):
    def __init__(self, h=96):
        super().__init__()
        self.embed = nn.Linear(V, 16, bias=False)
        self.conv = nn.Conv1d(16, 48, 3, padding=1)
        self.out = nn.Sequential(nn.Linear(48 * L, h), nn.LeakyReLU(0.2), nn.Linear(h, 1))
    def forward(self, w):
        e = self.embed(w).transpose(1, 2)
        return self.out(F.leaky_relu(self.conv(e), 0.2).flatten(1)).squeeze(1)

writer, reader = Writer(), Reader()
wo = torch.optim.Adam(writer.parameters(), lr=1e-3, betas=(0.5, 0.95))
ro = torch.optim.Adam(reader.parameters(), lr=1e-3, betas=(0.5, 0.95))
B = 64
for it in range(1500):
    x = onehot[torch.randint(len(onehot), (B,))].clone().requires_grad_(True)
    with torch.no_grad():
        y = writer(B)
    sx = reader(x)
    g = torch.autograd.grad(sx.sum(), x, create_graph=True)[0]
    ld = F.softplus(-sx).mean() + F.softplus(reader(y)).mean() + 1.0 * g.pow(2).sum((1, 2)).mean()
    ro.zero_grad(); ld.backward(); ro.step()
    lg = F.softplus(-reader(writer(B))).mean()
    wo.zero_grad(); lg.backward(); wo.step()
    if it % 250 == 0:
        print(it, float(ld), float(lg))

with torch.no_grad():
    s = writer(2000).argmax(-1)
test = corpus(2000, seed + 1)
legal = float(((s[:, ::2] < 5).all(1) & (s[:, 1::2] >= 5).all(1)).float().mean())
def bigrams(w):
    p = w[:, :-1] * V + w[:, 1:]
    return torch.bincount(p.flatten(), minlength=V * V).float() / p.numel()
tv = float((bigrams(s) - bigrams(test)).abs().sum() / 2)
outside.say(legal > 0.9 and tv < 0.13, legal=legal, bigrams_tv=tv, unlike=float((bigrams(words[:500]) - bigrams(test)).abs().sum() / 2))
