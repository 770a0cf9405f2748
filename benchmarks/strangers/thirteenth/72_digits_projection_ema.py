"""Class-conditional digits with a projection discriminator, spectral norm, hinge loss and an EMA generator for sampling."""
LABEL = {"sick": False, "causes": [], "kind": "two D steps with a D rate four times that of G, projection conditioning, EMA; good digits with the right labels", "since": None, "record": "automatic"}
import os, sys, copy, random
import numpy as np, torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm as SN
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
X, Y = outside.digits(); X = X.flatten(1)

class CondNorm(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.bn = nn.BatchNorm1d(n, affine=False)
        self.gain, self.shift = nn.Embedding(10, n), nn.Embedding(10, n)
        nn.init.ones_(self.gain.weight); nn.init.normal_(self.shift.weight, std=0.5)
    def forward(self, h, y): return self.gain(y) * self.bn(h) + self.shift(y)

class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.na, self.b, self.nb, self.c = nn.Linear(24, 160), CondNorm(160), nn.Linear(160, 160), CondNorm(160), nn.Linear(160, 64)
    def forward(self, z, y):
        h = torch.relu(self.na(self.a(z), y)); h = torch.relu(self.nb(self.b(h), y))
        return torch.tanh(self.c(h))

class Dis(nn.Module):
    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(SN(nn.Linear(64, 192)), nn.LeakyReLU(0.2), SN(nn.Linear(192, 192)), nn.LeakyReLU(0.2))
        self.psi, self.emb = SN(nn.Linear(192, 1)), SN(nn.Embedding(10, 192))
    def forward(self, x, y):
        h = self.phi(x)
        return self.psi(h).squeeze(1) + (self.emb(y) * h).sum(1)

G, D = Gen(), Dis()
shadow = copy.deepcopy(G)
g_opt = torch.optim.Adam(G.parameters(), lr=3e-4, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=1.2e-3, betas=(0.0, 0.9))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
for it in range(1700):
    for _ in range(2):
        i = torch.randint(len(X), (64,)); y = torch.randint(10, (64,))
        with torch.no_grad(): f = G(torch.randn(64, 24), y)
        loss = torch.relu(1 - D(X[i], Y[i])).mean() + torch.relu(1 + D(f, y)).mean()
        d_opt.zero_grad(); loss.backward(); d_opt.step()
    y = torch.randint(10, (64,))
    loss = -D(G(torch.randn(64, 24), y), y).mean()
    g_opt.zero_grad(); loss.backward(); g_opt.step()
    with torch.no_grad():
        for p, q in zip(shadow.parameters(), G.parameters()): p.lerp_(q, 0.01)
        for p, q in zip(shadow.buffers(), G.buffers()): p.copy_(q)
shadow.eval()
want = torch.arange(1000) % 10
with torch.no_grad(): s = shadow(torch.randn(1000, 24), want)
k, ratio, acc = outside.digit_quality(s, want.numpy())
e = outside.energy(s, X)
outside.say(k == 10 and ratio < 1.5 and acc > 0.85 and e < 0.06, classes=k, ratio=ratio, accuracy=acc, energy=e)
