"""SAGAN-style class-conditional digit generator at 8x8 with projection discriminator, spectral norm, hinge loss and two time scales."""
import os, sys, random
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm as sn
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "healthy self-attention hinge GAN, spectral norm in D, TTUR", "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


class SelfAttention(nn.Module):
    def __init__(self, ch, wrap=lambda m: m):
        super().__init__()
        self.q, self.k, self.v = (wrap(nn.Conv2d(ch, ch // 4, 1)), wrap(nn.Conv2d(ch, ch // 4, 1)), wrap(nn.Conv2d(ch, ch, 1)))
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        b, c, h, w = x.shape
        q, k, v = self.q(x).flatten(2), self.k(x).flatten(2), self.v(x).flatten(2)
        a = torch.softmax(q.transpose(1, 2) @ k, -1)
        return x + self.gamma * (v @ a.transpose(1, 2)).view(b, c, h, w)


class Gen(nn.Module):
    def __init__(self, z=24, ch=32):
        super().__init__()
        self.emb = nn.Embedding(10, 16)
        self.fc = nn.Linear(z + 16, ch * 2 * 16)
        self.n0 = nn.BatchNorm2d(ch * 2)
        self.up = nn.ConvTranspose2d(ch * 2, ch, 4, 2, 1)
        self.n1 = nn.BatchNorm2d(ch)
        self.att = SelfAttention(ch)
        self.out = nn.Conv2d(ch, 1, 3, 1, 1)
        self.ch = ch

    def forward(self, z, y):
        h = self.fc(torch.cat([z, self.emb(y)], 1)).view(-1, self.ch * 2, 4, 4)
        h = F.relu(self.n0(h))
        h = self.att(F.relu(self.n1(self.up(h))))
        return torch.tanh(self.out(h))


class Dis(nn.Module):
    def __init__(self, ch=32):
        super().__init__()
        self.c1 = sn(nn.Conv2d(1, ch, 3, 1, 1))
        self.att = SelfAttention(ch, sn)
        self.c2 = sn(nn.Conv2d(ch, ch * 2, 4, 2, 1))
        self.lin = sn(nn.Linear(ch * 2 * 16, 128))
        self.out = sn(nn.Linear(128, 1))
        self.proj = nn.Embedding(10, 128)

    def forward(self, x, y):
        h = self.att(F.leaky_relu(self.c1(x), 0.1))
        h = F.leaky_relu(self.c2(h), 0.1).flatten(1)
        h = F.leaky_relu(self.lin(h), 0.1)
        return self.out(h) + (self.proj(y) * h).sum(1, keepdim=True)


X, Y = outside.digits()
G, D = Gen(), Dis()
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=1.5e-3, betas=(0.0, 0.9))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)

B = 32
for it in range(550):
    i = torch.randint(0, len(X), (B,))
    x, y = X[i], Y[i]
    yf = torch.randint(0, 10, (B,))
    with torch.no_grad():
        fake = G(torch.randn(B, 24), yf)
    d_loss = F.relu(1 - D(x, y)).mean() + F.relu(1 + D(fake, yf)).mean()
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()

    yf = torch.randint(0, 10, (B,))
    g_loss = -D(G(torch.randn(B, 24), yf), yf).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    if it % 200 == 0:
        print(it, round(d_loss.item(), 3), round(g_loss.item(), 3))

want = torch.arange(500) % 10
with torch.no_grad():
    made = G(torch.randn(500, 24), want)
classes, near, acc = outside.digit_quality(made, want)
e = outside.energy(made, X[torch.randperm(len(X))])
outside.say(classes == 10 and acc > 0.75 and e < 0.12, classes=classes, near=near, accuracy=acc, energy=e)
