"""Tiny text GAN: three-letter month names as one-hot characters, WGAN-GP on softmax outputs."""
LABEL = {"sick": False, "causes": [], "kind": "discrete data: the reals are exact one-hots, the fakes are saturated softmaxes with almost no diversity inside a letter, only twelve distinct unequally frequent strings exist, and the generator's gradients are tiny because of the softmax", "since": None, "record": "lines"}

import os
import sys
import numpy as np
import torch
from torch import nn, autograd
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED)
torch.set_num_threads(1)

words = "jan feb mar apr may jun jul aug sep oct nov dec".split()
# birthdays are not uniform over the year (exaggerated by our customers)
freq = np.array([7, 6, 7, 7, 8, 8, 10, 11, 11, 9, 8, 8], float); freq /= freq.sum()
alphabet = sorted(set("".join(words))); ix = {c: i for i, c in enumerate(alphabet)}
V, L, B, NZ = len(alphabet), 3, 128, 24
table = torch.zeros(len(words), L, V)
for i, w in enumerate(words):
    for j, c in enumerate(w): table[i, j, ix[c]] = 1.


def sample_real(n): return table[torch.from_numpy(np.random.choice(len(words), n, p=freq))]


class Gen(nn.Module):
    def __init__(s):
        super().__init__()
        s.f = nn.Sequential(nn.Linear(NZ, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, L * V))

    def forward(s, z): return torch.softmax(s.f(z).view(-1, L, V), -1)


class Critic(nn.Module):
    def __init__(s):
        super().__init__()
        s.f = nn.Sequential(nn.Flatten(), nn.Linear(L * V, 128), nn.LeakyReLU(.1), nn.Linear(128, 128), nn.LeakyReLU(.1), nn.Linear(128, 1))

    def forward(s, x): return s.f(x)


G, D = Gen(), Critic()
og = torch.optim.Adam(G.parameters(), 4e-4, betas=(0., .9))
od = torch.optim.Adam(D.parameters(), 4e-4, betas=(0., .9))
rec = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)


def penalty(r, f):
    a = torch.rand(len(r), 1, 1)
    x = (a * r + (1 - a) * f).requires_grad_(True)
    g, = autograd.grad(D(x).sum(), x, create_graph=True)
    return 10. * ((g.flatten(1).norm(2, 1) - 1) ** 2).mean()


for it in range(1600):
    for _ in range(4):
        r = sample_real(B)
        with torch.no_grad(): f = G(torch.randn(B, NZ))
        dr, df = D(r), D(f)
        dl = df.mean() - dr.mean() + penalty(r, f)
        od.zero_grad(); dl.backward(); od.step()
    f = G(torch.randn(B, NZ)); gl = -D(f).mean()
    og.zero_grad(); gl.backward(); og.step()
    if it % 400 == 0:
        txt = ["".join(alphabet[k] for k in row) for row in f[:8].argmax(-1).tolist()]
        print(it, "W %.3f" % (dr.mean() - df.mean()).item(), " ".join(txt))
    rec.step(real_logits=dr, fake_logits=df, d_loss=dl, g_loss=gl, real=r, fake=f)
rec.close()

with torch.no_grad(): s = G(torch.randn(4000, NZ))
txt = ["".join(alphabet[k] for k in row) for row in s.argmax(-1).tolist()]
valid = np.mean([t in words for t in txt])
share = np.array([txt.count(w) for w in words]) / len(txt)
tv = 0.5 * np.abs(share - freq).sum() + 0.5 * (1 - share.sum())
sharp = s.max(-1).values.mean().item()
outside.say(valid > .9 and tv < .15 and (share > .3 / 12).all(), valid=float(valid), tv=float(tv), least=float(share.min() * 12), sharp=sharp)
