"""Residual MLP GAN on the leading principal components of the breast cancer table, least squares loss and very small batches."""
import os, random, sys
import numpy as np, torch, torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
import outside

LABEL = {"sick": False, "causes": [], "kind": "healthy residual LSGAN with batch size 8 and noisy losses, linear learning rate decay", "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

X, y = load_breast_cancer(return_X_y=True)
X = PCA(6, whiten=False).fit_transform(StandardScaler().fit_transform(X))
X = torch.tensor(X / X[:, 0].std(), dtype=torch.float32)
order = torch.randperm(len(X))
train, hold = X[order[:420]], X[order[420:]]


class Res(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.a, self.b, self.norm = nn.Linear(n, n), nn.Linear(n, n), nn.LayerNorm(n)

    def forward(self, x):
        return x + 0.5 * self.b(torch.relu(self.a(self.norm(x))))


class Net(nn.Module):
    def __init__(self, i, o, n=64, depth=3):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(i, n), *[Res(n) for _ in range(depth)], nn.LayerNorm(n), nn.LeakyReLU(0.2), nn.Linear(n, o))

    def forward(self, x):
        return self.net(x)


def run(steps=3600, batch=8, lr_g=4e-4, lr_d=6e-4):
    g, d = Net(10, 6), Net(6, 1, depth=2)
    og = torch.optim.Adam(g.parameters(), lr=lr_g, betas=(0.0, 0.99))
    od = torch.optim.Adam(d.parameters(), lr=lr_d, betas=(0.0, 0.99))
    decay = lambda k: max(0.05, min(1.0, 2.0 * (1 - k / steps)))
    sched = [torch.optim.lr_scheduler.LambdaLR(o, decay) for o in (og, od)]
    for k in range(steps):
        x = train[torch.randint(0, len(train), (batch,))]
        x = x + 0.1 * torch.randn_like(x)
        f = g(torch.randn(batch, 10))
        ld = 0.5 * ((d(x) - 1) ** 2).mean() + 0.5 * (d(f.detach() + 0.1 * torch.randn_like(x)) ** 2).mean()
        od.zero_grad(); ld.backward(); od.step()
        lg = 0.5 * ((d(f + 0.1 * torch.randn_like(x)) - 1) ** 2).mean()
        og.zero_grad(); lg.backward(); og.step()
        for s in sched:
            s.step()
        if k % 600 == 0:
            print(k, ld.item(), lg.item())
    return g


g = run()
with torch.no_grad():
    s = g(torch.randn(1000, 10))
e = outside.energy(s, X)
ratio = (s.std(0) / X.std(0)).mean().item()
outside.say(e < 0.04 and 0.7 < ratio < 1.3, energy=e, spread=ratio)
