"""Ask for a waveform (sine, square, saw, triangle) and get 16 samples of it: a small conditional GAN."""
LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"], "kind": "waves were shuffled but their labels were not: the condition means nothing", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
from scipy import signal
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


def make(n_each=600, length=16):
    t = np.linspace(0, 2 * np.pi, length, endpoint=False)
    xs, ys = [], []
    for k, fn in enumerate([np.sin, signal.square, lambda v: signal.sawtooth(v), lambda v: signal.sawtooth(v, 0.5)]):
        a = np.random.uniform(0.7, 1.0, (n_each, 1)) * (-1 if k == 3 else 1)
        xs.append(a * fn(t[None] + np.random.uniform(0, 0.5, (n_each, 1))) + 0.02 * np.random.randn(n_each, length))
        ys += [k] * n_each
    return np.concatenate(xs).astype("float32"), np.array(ys)


waves, kinds = make()
proto = np.stack([waves[kinds == k].mean(0) for k in range(4)])
true = {k: waves[kinds == k] for k in range(4)}
perm = np.random.permutation(len(waves))
waves, labels = torch.from_numpy(waves[perm]), torch.from_numpy(kinds)


class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(4, 8)
        self.body = nn.Sequential(nn.Linear(16, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 16))

    def forward(self, z, y):
        return self.body(torch.cat([z, self.emb(y)], 1))


class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(4, 8)
        self.body = nn.Sequential(nn.Linear(24, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))

    def forward(self, x, y):
        return self.body(torch.cat([x, self.emb(y)], 1))


g, d = G(), D()
opt_g = torch.optim.Adam(g.parameters(), lr=5e-4, betas=(0.5, 0.9))
opt_d = torch.optim.Adam(d.parameters(), lr=1e-3, betas=(0.5, 0.9))
bce = nn.BCEWithLogitsLoss()
n = 128
for step in range(4000):
    i = torch.randint(len(waves), (n,))
    x, y = waves[i] + 0.05 * torch.randn(n, 16), labels[i]
    fake = g(torch.randn(n, 8), y)
    loss_d = bce(d(x, y), torch.full((n, 1), 0.9)) + bce(d(fake.detach() + 0.05 * torch.randn(n, 16), y), torch.zeros(n, 1))
    opt_d.zero_grad(); loss_d.backward(); opt_d.step()
    loss_g = bce(d(fake, y), torch.ones(n, 1))
    opt_g.zero_grad(); loss_g.backward(); opt_g.step()

with torch.no_grad():
    y = torch.arange(4).repeat_interleave(200)
    s = g(torch.randn(800, 8), y).numpy()
got = np.linalg.norm(s[:, None] - proto[None], axis=2).argmin(1)
acc = float((got == y.numpy()).mean())
e = float(np.mean([outside.energy(s[200 * k:200 * k + 200], true[k]) for k in range(4)]))
outside.say(acc > 0.85 and e < 0.15, asked_and_given=acc, energy=e)
