"""Class-conditional digits with a projection discriminator, hinge loss, two critic turns and TTUR."""
LABEL = {"sick": False, "causes": [], "kind": "discriminator four times as fast and two turns a step, negative generator loss of wandering size, yet labels and pictures come out right", "since": None, "record": "lines"}
import os, sys, random
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm as sn
import outside
from gandiag.recording import Recorder

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)


class CondNorm(nn.Module):
    def __init__(self, width, n_classes):
        super().__init__()
        self.bn = nn.BatchNorm1d(width, affine=False)
        self.scale = nn.Embedding(n_classes, width)
        self.shift = nn.Embedding(n_classes, width)
        nn.init.ones_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, h, y):
        return self.bn(h) * self.scale(y) + self.shift(y)


class Generator(nn.Module):
    def __init__(self, nz=20, width=128):
        super().__init__()
        self.nz = nz
        self.l1, self.n1 = nn.Linear(nz, width), CondNorm(width, 10)
        self.l2, self.n2 = nn.Linear(width, width), CondNorm(width, 10)
        self.l3 = nn.Linear(width, 64)

    def forward(self, y):
        h = F.relu(self.n1(self.l1(torch.randn(len(y), self.nz)), y))
        h = F.relu(self.n2(self.l2(h), y))
        return torch.tanh(self.l3(h)).view(-1, 1, 8, 8)


class ProjectionD(nn.Module):
    def __init__(self, width=128):
        super().__init__()
        self.phi = nn.Sequential(sn(nn.Linear(64, width)), nn.LeakyReLU(0.1), sn(nn.Linear(width, width)), nn.LeakyReLU(0.1))
        self.psi = sn(nn.Linear(width, 1))
        self.emb = sn(nn.Embedding(10, width))

    def forward(self, x, y):
        h = self.phi(x.flatten(1))
        return self.psi(h).squeeze(1) + (self.emb(y) * h).sum(1)


x, y = outside.digits()
x_tr, y_tr, x_te = x[:1500], y[:1500], x[1500:]
G, D = Generator(), ProjectionD()
opt_g = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.0, 0.9))
opt_d = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.0, 0.9))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)

for step in range(1000):
    for _ in range(2):
        i = torch.randint(0, len(x_tr), (64,))
        yf = torch.randint(0, 10, (64,))
        with torch.no_grad():
            fake = G(yf)
        dr, df = D(x_tr[i], y_tr[i]), D(fake, yf)
        d_loss = F.relu(1 - dr).mean() + F.relu(1 + df).mean()
        opt_d.zero_grad(); d_loss.backward(); opt_d.step()
    yg = torch.randint(0, 10, (64,))
    gen = G(yg)
    g_loss = -D(gen, yg).mean()
    opt_g.zero_grad(); g_loss.backward(); opt_g.step()
    recorder.step(real_logits=dr, fake_logits=df, d_loss=d_loss, g_loss=g_loss, real=x_tr[i], fake=gen)
    if step % 200 == 0:
        print(step, round(d_loss.item(), 3), round(g_loss.item(), 3))
recorder.close()

G.eval()
want = torch.arange(1000) % 10
with torch.no_grad():
    s = G(want)
classes, quality, acc = outside.digit_quality(s, want)
e = outside.energy(s, x_te)
outside.say(acc > 0.8 and quality < 1.6 and e < 0.06, accuracy=acc, quality=quality, classes=classes, energy=e)
