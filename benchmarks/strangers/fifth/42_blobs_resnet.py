"""Soft blobs, 10x10 in [-1, 1], with a pre-activation residual discriminator."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "the first activation of D works in place on slices of the data set: negative pixels shrink in every epoch", "since": 60, "record": "automatic"}
import os, sys
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag, outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

def blobs(n, s=10):
    i = torch.arange(s).float()
    img = torch.zeros(n, s, s)
    for _ in range(2):
        cy, cx, w = 2 + 6 * torch.rand(n, 1, 1), 2 + 6 * torch.rand(n, 1, 1), 1 + 0.8 * torch.rand(n, 1, 1)
        img += torch.exp(-((i[None, :, None] - cy) ** 2 + (i[None, None] - cx) ** 2) / (2 * w ** 2))
    return (img.clamp(max=1) * 2 - 1).unsqueeze(1)

class PreActBlock(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.act = nn.LeakyReLU(0.2, inplace=True)
        self.c1, self.c2 = nn.Conv2d(cin, cout, 3, padding=1), nn.Conv2d(cout, cout, 3, padding=1)
        self.skip = nn.Conv2d(cin, cout, 1)
    def forward(self, x):
        h = self.c2(self.act(self.c1(self.act(x))))
        return F.avg_pool2d(h + self.skip(x), 2)

class Disc(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(PreActBlock(1, 16), PreActBlock(16, 32))
        self.out = nn.Linear(32 * 4, 1)
    def forward(self, x): return self.out(F.leaky_relu(self.blocks(x), 0.2).flatten(1))

class Gen(nn.Module):
    def __init__(self, nz=16):
        super().__init__()
        self.nz, self.l = nz, nn.Linear(nz, 32 * 25)
        self.c1, self.c2 = nn.Conv2d(32, 32, 3, padding=1), nn.Conv2d(32, 1, 3, padding=1)
    def forward(self, z):
        h = F.relu(self.l(z)).view(-1, 32, 5, 5)
        h = F.relu(self.c1(F.interpolate(h, scale_factor=2)))
        return self.c2(h)

data = blobs(60 * 24)
gen, disc = Gen(), Disc()
optimizers = [torch.optim.Adam(m.parameters(), lr, betas=(0.5, 0.99)) for m, lr in ((gen, 8e-4), (disc, 5e-4))]

def epoch(bs=24):
    for i in range(0, len(data), bs):
        real = data[i:i + bs]
        fake = gen(torch.randn(len(real), gen.nz))
        loss = F.softplus(-disc(real)).mean() + F.softplus(disc(fake.detach().clone())).mean()
        optimizers[1].zero_grad(); loss.backward(); optimizers[1].step()
        loss = F.softplus(-disc(fake)).mean()
        optimizers[0].zero_grad(); loss.backward(); optimizers[0].step()

with gandiag.Recorder(sys.argv[1], generator=gen, discriminator=disc, generator_optimizer=optimizers[0], discriminator_optimizer=optimizers[1], automatic=True):
    for _ in range(9):
        epoch()

with torch.no_grad():
    s = gen(torch.randn(800, gen.nz))
truth = blobs(800)
e = outside.energy(s, truth)
outside.say(e < 0.1, energy=e, background=float(s.flatten(1).quantile(0.2)), true_background=float(truth.flatten(1).quantile(0.2)))
