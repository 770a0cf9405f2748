"""Acgan wine."""
# AC-GAN (with a projection term) for tabular data: the wine set, one sample of a grape per label
LABEL = {"sick": False, "causes": [], "kind": "AC-GAN on only 178 rows, batches of 32, one-sided smoothing, auxiliary losses make both curves ride high", "since": None, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)
torch.set_num_threads(1)

wine = load_wine()
feats = [0, 1, 6, 9, 11, 12]
X = wine.data[:, feats]
X = (X - X.mean(0)) / X.std(0)
Xt, yt = torch.tensor(X, dtype=torch.float32), torch.tensor(wine.target)


class ACGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(3, 8)
        self.f1 = nn.Linear(16, 64)
        self.f2 = nn.Linear(64, 64)
        self.f3 = nn.Linear(64, len(feats))

    def forward(self, z, y):
        h = torch.cat([z, self.emb(y)], 1)
        return self.f3(F.silu(self.f2(F.silu(self.f1(h)))))


class ACDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(len(feats), 64), nn.LeakyReLU(0.2), nn.Dropout(0.25), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Dropout(0.25))
        self.adv, self.aux, self.proj = nn.Linear(64, 1), nn.Linear(64, 3), nn.Embedding(3, 64)

    def forward(self, x, y):
        h = self.trunk(x + 0.1 * torch.randn_like(x) * self.training)
        return self.adv(h).squeeze(-1) + (self.proj(y) * h).sum(1), self.aux(h)


G, D = ACGenerator(), ACDiscriminator()
og = torch.optim.Adam(G.parameters(), lr=6e-4, betas=(0.5, 0.999))
od = torch.optim.Adam(D.parameters(), lr=6e-4, betas=(0.5, 0.999))
bs = 32
for it in range(2400):
    j = torch.randint(len(Xt), (bs,))
    x, y = Xt[j], yt[j]
    c = torch.randint(3, (bs,))
    fake = G(torch.randn(bs, 8), c)
    od.zero_grad()
    a_r, k_r = D(x, y)
    a_f, k_f = D(fake.detach(), c)
    loss_d = F.binary_cross_entropy_with_logits(a_r, torch.full((bs,), 0.9)) + F.binary_cross_entropy_with_logits(a_f, torch.zeros(bs)) + F.cross_entropy(k_r, y)
    loss_d.backward()
    od.step()
    og.zero_grad()
    a, k = D(fake, c)
    loss_g = F.binary_cross_entropy_with_logits(a, torch.ones(bs)) + 0.3 * F.cross_entropy(k, c)
    loss_g.backward()
    og.step()
    if it % 700 == 0:
        print(it, round(loss_d.item(), 3), round(loss_g.item(), 3))

judge = LogisticRegression(max_iter=500).fit(X, wine.target)
with torch.no_grad():
    n = np.bincount(wine.target)
    want = torch.tensor(np.repeat(np.arange(3), n * 4))
    out = G(torch.randn(len(want), 8), want)
acc = float((judge.predict(out.numpy()) == want.numpy()).mean())
p = torch.randperm(len(out))
e = outside.energy(out[p], Xt)
outside.say(acc > 0.85 and e < 0.05, accuracy=acc, energy=e)
