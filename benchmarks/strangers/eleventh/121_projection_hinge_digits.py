"""Class-conditional SN-GAN with a projection discriminator and hinge loss on the 8x8 digits, TTUR, conditional batch norm."""
LABEL = {"sick": False, "causes": [], "kind": "healthy projection cGAN, hinge + SN, TTUR", "since": None, "record": "attach"}
import os, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from torch.nn.utils import spectral_norm as SN
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

class CBN(nn.Module):
    def __init__(self, c, n=10):
        super().__init__()
        self.bn = nn.BatchNorm2d(c, affine=False)
        self.gain, self.bias = nn.Embedding(n, c), nn.Embedding(n, c)
        nn.init.ones_(self.gain.weight); nn.init.zeros_(self.bias.weight)
    def forward(self, x, y):
        return self.bn(x) * self.gain(y)[:, :, None, None] + self.bias(y)[:, :, None, None]

class Generator(nn.Module):
    def __init__(self, nz=32, c=32):
        super().__init__()
        self.c = c
        self.emb = nn.Embedding(10, nz)
        self.fc = nn.Linear(2 * nz, c * 16)
        self.n1, self.c1 = CBN(c), nn.Conv2d(c, c, 3, 1, 1)
        self.n2, self.c2 = CBN(c), nn.Conv2d(c, c, 3, 1, 1)
        self.n3, self.out = CBN(c), nn.Conv2d(c, 1, 3, 1, 1)
    def forward(self, z, y):
        h = self.fc(torch.cat([z, self.emb(y)], 1)).view(-1, self.c, 4, 4)
        h = self.c1(F.interpolate(F.relu(self.n1(h, y)), scale_factor=2))
        h = h + self.c2(F.relu(self.n2(h, y)))
        return torch.tanh(self.out(F.relu(self.n3(h, y))))

class Discriminator(nn.Module):
    def __init__(self, c=32):
        super().__init__()
        self.body = nn.Sequential(SN(nn.Conv2d(1, c, 3, 1, 1)), nn.LeakyReLU(.1), SN(nn.Conv2d(c, c, 4, 2, 1)), nn.LeakyReLU(.1),
                                  SN(nn.Conv2d(c, 2 * c, 4, 2, 1)), nn.LeakyReLU(.1), nn.Flatten())
        self.lin, self.emb = SN(nn.Linear(8 * c, 1)), SN(nn.Embedding(10, 8 * c))
    def forward(self, x, y):
        h = self.body(x)
        return self.lin(h).squeeze(1) + (self.emb(y) * h).sum(1)

X, Y = outside.digits()
G, D = Generator(), Discriminator()
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0., .9))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0., .9))
for it in range(750):
    i = torch.randint(0, len(X), (32,))
    x, y = X[i], Y[i]
    fake = G(torch.randn(32, 32), y)
    d_loss = F.relu(1 - D(x, y)).mean() + F.relu(1 + D(fake.detach(), y)).mean()
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    y2 = torch.randint(0, 10, (32,))
    g_loss = -D(G(torch.randn(32, 32), y2), y2).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()

with torch.no_grad():
    y = torch.arange(1000) % 10
    s = G(torch.randn(1000, 32), y)
cl, q, acc = outside.digit_quality(s, y)
e = outside.energy(s, X[torch.randperm(len(X))])
outside.say(cl == 10 and q < 1.3 and acc > .8 and e < .06, classes=cl, distance=q, accuracy=acc, energy=e)
