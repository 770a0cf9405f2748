"""Conditional least-squares GAN on digits where some classes are three times rarer (long tail), targets -1/1/0."""
LABEL = {"sick": False, "causes": [], "kind": "long-tailed classes by design; LSGAN targets a=-1, b=1, c=0, so the scores rest around 0 and the losses are not cross-entropies; labels join by embedding product", "since": None, "record": "automatic"}

import os, sys
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

images, labels = outside.digits()
keep = torch.ones(len(labels), dtype=torch.bool)
for rare in (3, 5, 8):
    where = (labels == rare).nonzero().squeeze(1)
    keep[where[len(where) // 3:]] = False
images, labels = images[keep].flatten(1), labels[keep]


class Gen(nn.Module):
    def __init__(self, nz=32):
        super().__init__()
        self.nz = nz
        self.emb = nn.Embedding(10, 16)
        self.net = nn.Sequential(nn.Linear(nz + 16, 160), nn.BatchNorm1d(160), nn.ReLU(), nn.Linear(160, 160), nn.BatchNorm1d(160), nn.ReLU(), nn.Linear(160, 64), nn.Tanh())

    def forward(self, z, c):
        return self.net(torch.cat([z, self.emb(c)], 1))


class Projection(nn.Module):
    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(spectral_norm(nn.Linear(64, 192)), nn.LeakyReLU(0.2), nn.Dropout(0.4), spectral_norm(nn.Linear(192, 192)), nn.LeakyReLU(0.2), nn.Dropout(0.4))
        self.psi = nn.Linear(192, 1)
        self.emb = nn.Embedding(10, 192)
        nn.init.normal_(self.emb.weight, 0, 0.1)

    def forward(self, x, c):
        h = self.phi(x)
        return self.psi(h).squeeze(1) + (self.emb(c) * h).sum(1)


G, D = Gen(), Projection()
opt_g = torch.optim.Adam(G.parameters(), 5e-4, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.99))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)
B, STEPS = 64, 2400

for step in range(STEPS):
    if step == 1700:
        for o in (opt_g, opt_d):
            o.param_groups[0]["lr"] *= 0.2
    idx = torch.randint(len(labels), (B,))
    x, c = images[idx], labels[idx]
    fake = G(torch.randn(B, G.nz), c)
    d_loss = 0.5 * ((D(x, c) - 1) ** 2).mean() + 0.5 * ((D(fake.detach(), c) + 1) ** 2).mean()
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()
    g_loss = 0.5 * (D(fake, c) ** 2).mean()
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
recorder.close()

G.eval()
want = torch.arange(1000) % 10
with torch.no_grad():
    out = G(torch.randn(1000, G.nz), want)
classes, dist, acc = outside.digit_quality(out, want)
real, rl = outside.digits()
spread = min((out[want == k].std(0).mean() / real[rl == k].flatten(1).std(0).mean()).item() for k in range(10))
outside.say(classes == 10 and dist < 1.4 and acc > 0.85 and spread > 0.5, classes=classes, dist=dist, accuracy=acc, least_spread=spread)
