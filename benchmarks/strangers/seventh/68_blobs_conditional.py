"""Conditional GAN on iris-like blobs -- homework 3, part B."""
import os
import random

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import make_blobs
from torch import nn

import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"], "kind": "features are shuffled but their labels are not: the condition means nothing", "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

N_CLASSES = 5
X, y = make_blobs(n_samples=3000, centers=N_CLASSES, n_features=3, cluster_std=0.7, center_box=(-5, 5), random_state=4)
X = (X - X.mean(0)) / X.std(0)
X_all, y_all = X.copy(), y.copy()
np.random.shuffle(X)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y)


class CondG(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(N_CLASSES, 8)
        self.l1 = nn.Linear(8 + 8, 64)
        self.l2 = nn.Linear(64, 64)
        self.l3 = nn.Linear(64, 3)

    def forward(self, z, c):
        h = F.leaky_relu(self.l1(torch.cat([z, self.emb(c)], dim=1)), 0.1)
        h = F.leaky_relu(self.l2(h), 0.1)
        return self.l3(h)


class CondD(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(N_CLASSES, 8)
        self.l1 = nn.Linear(3 + 8, 96)
        self.l2 = nn.Linear(96, 48)
        self.l3 = nn.Linear(48, 1)

    def forward(self, x, c):
        h = F.leaky_relu(self.l1(torch.cat([x, self.emb(c)], dim=1)), 0.2)
        h = F.leaky_relu(self.l2(h), 0.2)
        return self.l3(h)


G, D = CondG(), CondD()
optim_G = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
optim_D = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))

# least squares
for step in range(2000):
    pick = torch.randint(0, len(X), (64,))
    x, c = X[pick], y[pick]
    xg = G(torch.randn(64, 8), c)

    optim_D.zero_grad()
    loss_D = 0.5 * ((D(x, c) - 1) ** 2).mean() + 0.5 * (D(xg.detach(), c) ** 2).mean()
    loss_D.backward()
    optim_D.step()

    optim_G.zero_grad()
    loss_G = 0.5 * ((D(xg, c) - 1) ** 2).mean()
    loss_G.backward()
    optim_G.step()

from sklearn.neighbors import KNeighborsClassifier
knn = KNeighborsClassifier(5).fit(X_all, y_all)
with torch.no_grad():
    want = torch.randint(0, N_CLASSES, (1000,))
    out = G(torch.randn(1000, 8), want).numpy()
acc = float((knn.predict(out) == want.numpy()).mean())
outside.say(acc > 0.75, accuracy=acc)
