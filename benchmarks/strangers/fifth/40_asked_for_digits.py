"""Digits on demand: conditional generator with embeddings, projection discriminator, hinge loss."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "after the first epoch the images are shuffled and their labels are not", "since": 56, "record": "lines"}
import os, sys
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm as SN
import gandiag
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

class Batches:
    def __init__(self, images, labels, size):
        first = torch.randperm(len(images))
        self.images, self.labels, self.size = images[first], labels[first], size
    def reshuffle(self):
        self.images = self.images[torch.randperm(len(self.images))]
    def __iter__(self):
        for i in range(len(self.images) // self.size):
            part = slice(i * self.size, (i + 1) * self.size)
            yield self.images[part], self.labels[part]
        self.reshuffle()

class G(nn.Module):
    def __init__(self, nz=16, c=10):
        super().__init__()
        self.nz, self.emb = nz, nn.Embedding(c, 16)
        self.l = nn.Linear(nz + 16, 64 * 4)
        self.bn0, self.bn1 = nn.BatchNorm1d(64 * 4), nn.BatchNorm2d(32)
        self.c1, self.c2 = nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ConvTranspose2d(32, 1, 4, 2, 1)
    def forward(self, z, y):
        h = F.relu(self.bn0(self.l(torch.cat([z, self.emb(y)], 1)))).view(-1, 64, 2, 2)
        return torch.tanh(self.c2(F.relu(self.bn1(self.c1(h)))))

class D(nn.Module):
    def __init__(self, c=10):
        super().__init__()
        self.a, self.b = SN(nn.Conv2d(1, 32, 3, 1, 1)), SN(nn.Conv2d(32, 64, 4, 2, 1))
        self.h, self.o, self.e = SN(nn.Linear(64 * 16, 64)), SN(nn.Linear(64, 1)), SN(nn.Embedding(c, 64))
    def forward(self, x, y):
        h = F.leaky_relu(self.b(F.leaky_relu(self.a(x), 0.1)), 0.1).flatten(1)
        h = F.leaky_relu(self.h(h), 0.1)
        return self.o(h).squeeze(1) + (self.e(y) * h).sum(1)

g, d = G(), D()
og = torch.optim.Adam(g.parameters(), 1e-3, betas=(0.0, 0.9))
od = torch.optim.Adam(d.parameters(), 1e-3, betas=(0.0, 0.9))
batches = Batches(*outside.digits(), 32)

with gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od) as recorder:
    for epoch in range(10):
        for x, y in batches:
            wish = torch.randint(0, 10, (len(x),))
            fake = g(torch.randn(len(x), g.nz), wish)
            sr, sf = d(x, y), d(fake.detach(), wish)
            ld = F.relu(1 - sr).mean() + F.relu(1 + sf).mean()
            od.zero_grad(); ld.backward(); od.step()
            lg = -d(fake, wish).mean()
            og.zero_grad(); lg.backward(); og.step()
            recorder.step(d_loss=ld, g_loss=lg, real=x, fake=fake, real_logits=sr, fake_logits=sf)

wish = torch.arange(1000) % 10
with torch.no_grad():
    s = g(torch.randn(1000, g.nz), wish)
n, dist, acc = outside.digit_quality(s, wish)
outside.say(acc > 0.75 and n >= 9 and dist < 1.6, as_asked=acc, classes=n, distance=dist)
