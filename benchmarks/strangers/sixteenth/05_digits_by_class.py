"""Class-conditional digits with a projection discriminator; every batch holds the ten classes in order, five of each."""
LABEL = {"sick": False, "causes": [], "kind": "batches are sorted by class (0,0,..,9,9) on both sides by design, balanced and with matching labels; spectrally normalised projection critic and hinge loss with losses that hover near 2 and 0", "since": None, "record": "attach"}

import os
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils import spectral_norm
from torch.utils.data import DataLoader, TensorDataset, Sampler
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
np.random.seed(SEED)
torch.set_num_threads(1)
PER = 5


class ClassOrdered(Sampler):
    """yields index lists: PER of class 0, PER of class 1, ..."""

    def __init__(self, labels, batches):
        self.where = [np.flatnonzero(labels == k) for k in range(10)]
        self.batches = batches

    def __len__(self):
        return self.batches

    def __iter__(self):
        for _ in range(self.batches):
            yield np.concatenate([np.random.choice(w, PER, replace=False) for w in self.where]).tolist()


class CondBN(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.bn = nn.BatchNorm2d(c, affine=False)
        self.emb = nn.Embedding(10, 2 * c)
        self.emb.weight.data[:, :c] = 1
        self.emb.weight.data[:, c:] = 0

    def forward(self, x, y):
        g, b = self.emb(y).chunk(2, 1)
        return self.bn(x) * g[..., None, None] + b[..., None, None]


class Generator(nn.Module):
    def __init__(self, zdim=32, c=32):
        super().__init__()
        self.zdim = zdim
        self.fc = nn.Linear(zdim + 16, 2 * c * 4)
        self.emb = nn.Embedding(10, 16)
        self.b1, self.b2 = CondBN(2 * c), CondBN(c)
        self.c1 = nn.ConvTranspose2d(2 * c, c, 4, 2, 1)
        self.c2 = nn.ConvTranspose2d(c, c, 4, 2, 1)
        self.out = nn.Conv2d(c, 1, 3, padding=1)

    def forward(self, z, y):
        h = self.fc(torch.cat([z, self.emb(y)], 1)).view(len(z), -1, 2, 2)
        h = self.c1(F.relu(self.b1(h, y)))
        h = self.c2(F.relu(self.b2(h, y)))
        return torch.tanh(self.out(F.relu(h)))


class ProjectionD(nn.Module):
    def __init__(self, c=24):
        super().__init__()
        sn = spectral_norm
        self.body = nn.Sequential(sn(nn.Conv2d(1, c, 3, 1, 1)), nn.LeakyReLU(0.1), sn(nn.Conv2d(c, 2 * c, 4, 2, 1)), nn.LeakyReLU(0.1),
                                  sn(nn.Conv2d(2 * c, 3 * c, 4, 2, 1)), nn.LeakyReLU(0.1), nn.Flatten())
        self.lin = sn(nn.Linear(3 * c * 4, 1))
        self.emb = sn(nn.Embedding(10, 3 * c * 4))

    def forward(self, x, y):
        h = self.body(x)
        return self.lin(h) + (self.emb(y) * h).sum(1, keepdim=True)


def main():
    x, y = outside.digits()
    ds = TensorDataset(x[:1200], y[:1200])
    loader = DataLoader(ds, batch_sampler=ClassOrdered(y[:1200].numpy(), 900))
    G, D = Generator(), ProjectionD()
    og = torch.optim.Adam(G.parameters(), lr=8e-4, betas=(0.0, 0.9))
    od = torch.optim.Adam(D.parameters(), lr=1.2e-3, betas=(0.0, 0.9))
    for it, (real, lab) in enumerate(loader):
        fake = G(torch.randn(len(lab), G.zdim), lab)
        d_loss = F.relu(1 - D(real, lab)).mean() + F.relu(1 + D(fake.detach(), lab)).mean()
        od.zero_grad(set_to_none=True)
        d_loss.backward()
        od.step()
        g_loss = -D(fake, lab).mean()
        og.zero_grad(set_to_none=True)
        g_loss.backward()
        og.step()
        if it % 250 == 0:
            print(it, f"{d_loss.item():.3f} {g_loss.item():.3f}")
    G.eval()
    want = torch.arange(10).repeat(60)
    with torch.no_grad():
        f = G(torch.randn(600, G.zdim), want)
    k, q, acc = outside.digit_quality(f, want)
    e = outside.energy(f, x[1200:])
    outside.say(k == 10 and acc > 0.85 and q < 1.3 and e < 0.04, classes=k, quality=q, accuracy=acc, energy=e)


main()
