"""Conditional generation of tiny traffic signs: circle, triangle, square, cross, in grey, 10x10."""
LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"], "kind": "the images are shuffled once and their labels are not", "since": 0, "record": "automatic"}
import os, sys
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import gandiag
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
NAMES = ["circle", "triangle", "square", "cross"]

def render(kind, rng, s=10):
    yy, xx = np.mgrid[0:s, 0:s] - (s - 1) / 2
    cx, cy = rng.uniform(-1, 1, 2)
    r = rng.uniform(2.4, 3.8)
    x, y = xx - cx, yy - cy
    if kind == 0:
        d = np.hypot(x, y) - r
    elif kind == 1:
        d = np.maximum(y - r * 0.8, np.abs(x) * 0.87 - 0.5 * y - r * 0.6)
    elif kind == 2:
        d = np.maximum(np.abs(x), np.abs(y)) - r * 0.85
    else:
        d = np.minimum(np.maximum(np.abs(x) - 0.9, np.abs(y) - r), np.maximum(np.abs(y) - 0.9, np.abs(x) - r))
    return np.tanh(-2 * d)

def dataset(n_each, seed):
    rng = np.random.default_rng(seed)
    x = np.stack([render(k, rng) for k in range(4) for _ in range(n_each)]).astype("float32")
    y = np.repeat(np.arange(4), n_each)
    return torch.tensor(x)[:, None], torch.tensor(y)

class SignGenerator(nn.Module):
    def __init__(self, z=10):
        super().__init__()
        self.z = z
        self.body = nn.Sequential(nn.Linear(z + 4, 96), nn.LeakyReLU(0.2), nn.Linear(96, 160), nn.LeakyReLU(0.2), nn.Linear(160, 100), nn.Tanh())
    def forward(self, y):
        z = torch.randn(len(y), self.z)
        return self.body(torch.cat([z, F.one_hot(y, 4).float()], 1)).view(-1, 1, 10, 10)

class SignJudge(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(5, 24, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(24, 32, 3, 2, 1), nn.LeakyReLU(0.2), nn.Flatten())
        self.out = nn.Sequential(nn.Linear(288, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    def forward(self, x, y):
        planes = F.one_hot(y, 4).float()[:, :, None, None].expand(-1, -1, 10, 10)
        return self.out(self.conv(torch.cat([x, planes], 1)))

class Experiment:
    def __init__(self):
        self.x, self.y = dataset(700, SEED)
        self.x = self.x[torch.randperm(len(self.x))]
        self.gen, self.judge = SignGenerator(), SignJudge()
        self.opt_gen = torch.optim.Adam(self.gen.parameters(), lr=6e-4, betas=(0.5, 0.99))
        self.opt_judge = torch.optim.Adam(self.judge.parameters(), lr=6e-4, betas=(0.5, 0.99))

    def batches(self, size=40):
        order = torch.randperm(len(self.x))
        for part in order.split(size):
            if len(part) == size:
                yield self.x[part], self.y[part]

    def epoch(self):
        for x, y in self.batches():
            want = torch.randint(4, (len(y),))
            made = self.gen(want)
            bad = F.softplus(-self.judge(x, y)).mean() + F.softplus(self.judge(made.detach(), want)).mean()
            self.opt_judge.zero_grad(); bad.backward(); self.opt_judge.step()
            fooled = F.softplus(-self.judge(made, want)).mean()
            self.opt_gen.zero_grad(); fooled.backward(); self.opt_gen.step()

exp = Experiment()
with gandiag.Recorder(sys.argv[1], generator=exp.gen, discriminator=exp.judge, generator_optimizer=exp.opt_gen, discriminator_optimizer=exp.opt_judge, automatic=True):
    for _ in range(14):
        exp.epoch()

from sklearn.neighbors import KNeighborsClassifier
tx, ty = dataset(300, 999)
knn = KNeighborsClassifier(5).fit(tx.flatten(1).numpy(), ty.numpy())
want = torch.arange(800) % 4
with torch.no_grad():
    s = exp.gen(want)
right = float((knn.predict(s.flatten(1).numpy()) == want.numpy()).mean())
e = outside.energy(s, tx[torch.randperm(len(tx))])
outside.say(right > 0.8 and e < 0.05, right=right, energy=e)
