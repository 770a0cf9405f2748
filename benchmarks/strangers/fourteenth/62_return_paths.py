"""Recurrent GAN for short paths of autocorrelated returns, for stress tests of a trading rule."""
LABEL = {"sick": False, "causes": [], "kind": "recurrent G and D with noise at each step and a noisy hinge loss; the paths come out right", "since": None, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
np.random.seed(SEED)
random.seed(SEED)

T = 10
PHI = 0.7
NOISE = 3


def market(n, rng):
    """AR(1) with fat-tailed innovations (Student t, 6 d.o.f.), in units of its own sd."""
    r = np.zeros((n, T))
    r[:, 0] = rng.standard_normal(n)
    for t in range(1, T):
        eps = rng.standard_t(6, n) / np.sqrt(1.5)
        r[:, t] = PHI * r[:, t - 1] + np.sqrt(1 - PHI ** 2) * eps
    return r.astype("float32")


class PathGenerator(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.rnn = nn.GRU(NOISE, hidden, batch_first=True)
        self.out = nn.Sequential(nn.Linear(hidden + NOISE, 24), nn.LeakyReLU(0.1), nn.Linear(24, 1))

    def forward(self, n):
        z = torch.randn(n, T, NOISE)
        h, _ = self.rnn(z)
        return self.out(torch.cat([h, z], -1)).squeeze(-1)


class PathJudge(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.rnn = nn.GRU(2, hidden, batch_first=True)
        self.score = nn.Linear(hidden * 2, 1)

    def forward(self, r):
        dr = F.pad(r[:, 1:] - r[:, :-1], (1, 0))
        h, _ = self.rnn(torch.stack([r, dr], -1))
        return self.score(torch.cat([h.mean(1), h[:, -1]], -1))


def lag1(r):
    a, b = r[:, :-1].ravel(), r[:, 1:].ravel()
    return float(np.corrcoef(a, b)[0, 1])


rng = np.random.default_rng(SEED)
history = torch.from_numpy(market(6000, rng))
G, D = PathGenerator(), PathJudge()
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.9))
opt_d = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.9))
B = 64

for step in range(1500):
    x = history[torch.randint(0, len(history), (B,))]
    with torch.no_grad():
        y = G(B)
    d_loss = F.relu(1 - D(x)).mean() + F.relu(1 + D(y)).mean()
    opt_d.zero_grad()
    d_loss.backward()
    nn.utils.clip_grad_norm_(D.parameters(), 1.0)
    opt_d.step()

    g_loss = -D(G(B)).mean()
    opt_g.zero_grad()
    g_loss.backward()
    nn.utils.clip_grad_norm_(G.parameters(), 1.0)
    opt_g.step()
    if step % 250 == 0:
        print(step, round(d_loss.item(), 3), round(g_loss.item(), 3))

with torch.no_grad():
    paths = G(1000).numpy()
fresh = market(1000, rng)
e, ac = outside.energy(paths, fresh), lag1(paths)
outside.say(e < 0.05 and abs(ac - PHI) < 0.15, energy=e, lag1=ac, lag1_true=lag1(fresh), sd=float(paths.std()))
