"""Projection cgan."""
# Minimal re-implementation of "cGANs with Projection Discriminator" (Miyato & Koyama, 2018) on 8x8 digits
import os, random, sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils import spectral_norm as SN
from sklearn.datasets import load_digits
import gandiag
import outside

LABEL = {"sick": True, "causes": ["data_mismatch"],
         "kind": "images and labels are shuffled by two different permutations, so that the condition means nothing",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

nz, ncls, bs, n_iter = 24, 10, 64, 800

raw = load_digits()
rng = np.random.RandomState(SEED)
images = (raw.images / 8.0 - 1.0).astype("float32")[:, None]
labels = raw.target.astype("int64")
images = images[rng.permutation(len(images))]
labels = labels[rng.permutation(len(labels))]
images, labels = torch.from_numpy(images), torch.from_numpy(labels)


class CondBN(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.bn = nn.BatchNorm1d(width, affine=False)
        self.gamma = nn.Embedding(ncls, width)
        self.beta = nn.Embedding(ncls, width)
        nn.init.ones_(self.gamma.weight)
        nn.init.normal_(self.beta.weight, std=0.5)

    def forward(self, h, y):
        return self.bn(h) * self.gamma(y) + self.beta(y)


class CondGen(nn.Module):
    def __init__(self, width=96):
        super().__init__()
        self.l1, self.n1 = nn.Linear(nz, width), CondBN(width)
        self.l2, self.n2 = nn.Linear(width, width), CondBN(width)
        self.l3 = nn.Linear(width, 64)

    def forward(self, z, y):
        h = F.relu(self.n1(self.l1(z), y))
        h = F.relu(self.n2(self.l2(h), y))
        return torch.tanh(self.l3(h)).view(-1, 1, 8, 8)


class ProjDisc(nn.Module):
    def __init__(self, ch=12, feat=64):
        super().__init__()
        self.c1 = SN(nn.Conv2d(1, ch, 4, stride=2, padding=1))
        self.l1 = SN(nn.Linear(ch * 16, feat))
        self.lin = nn.Linear(feat, 1)
        self.emb = nn.Embedding(ncls, feat)

    def forward(self, x, y):
        h = F.leaky_relu(self.c1(x), 0.1).flatten(1)
        h = F.leaky_relu(self.l1(h), 0.1)
        return self.lin(h).squeeze(1) + (self.emb(y) * h).sum(1)


G, D = CondGen(), ProjDisc()
g_opt = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), 2e-3, betas=(0.0, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt,
                       discriminator_optimizer=d_opt, automatic=True)

for i in range(n_iter):
    idx = torch.randint(len(images), (bs,))
    x, y = images[idx], labels[idx]
    yf = torch.randint(ncls, (bs,))
    xf = G(torch.randn(bs, nz), yf)
    d_loss = F.relu(1 - D(x, y)).mean() + F.relu(1 + D(xf.detach(), yf)).mean()
    d_opt.zero_grad()
    d_loss.backward()
    d_opt.step()

    yf = torch.randint(ncls, (bs,))
    g_loss = -D(G(torch.randn(bs, nz), yf), yf).mean()
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
rec.close()

yy = torch.arange(1000) % ncls
with torch.no_grad():
    out = G(torch.randn(1000, nz), yy)
k, dist, acc = outside.digit_quality(out, yy)
outside.say(acc > 0.5 and dist < 2.0, classes=k, distance=dist, accuracy=acc)
