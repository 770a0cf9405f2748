"""Vanilla GAN on the 8x8 digits of sklearn, multilayer perceptrons, label smoothing."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance"], "kind": "the digits are fed raw in 0..16 while the generator ends in tanh: the ranges never meet", "since": 0, "record": "lines"}

import os, sys
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

images, _ = outside.digits(scale=False)
train = DataLoader(TensorDataset(images.flatten(1)), batch_size=64, shuffle=True, drop_last=True)


class G_(nn.Module):
    def __init__(self, nz=24):
        super().__init__()
        self.nz = nz
        self.body = nn.Sequential(
            nn.Linear(nz, 128), nn.BatchNorm1d(128), nn.ReLU(True),
            nn.Linear(128, 192), nn.BatchNorm1d(192), nn.ReLU(True),
            nn.Linear(192, 64), nn.Tanh())

    def forward(self, z):
        return self.body(z)


class D_(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(64, 192), nn.LeakyReLU(0.2), nn.Dropout(0.3),
            nn.Linear(192, 96), nn.LeakyReLU(0.2), nn.Dropout(0.3),
            nn.Linear(96, 1))

    def forward(self, x):
        return self.body(x)


G, D = G_(), D_()
bce = nn.BCEWithLogitsLoss()
opt_g = optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.999))
opt_d = optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.999))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)

for epoch in range(90):
    for (x,) in train:
        b = x.size(0)
        fake = G(torch.randn(b, G.nz))
        r, f = D(x), D(fake.detach())
        d_loss = bce(r, torch.full((b, 1), 0.9)) + bce(f, torch.zeros(b, 1))
        opt_d.zero_grad(); d_loss.backward(); opt_d.step()

        f2 = D(fake)
        g_loss = bce(f2, torch.ones(b, 1))
        opt_g.zero_grad(); g_loss.backward(); opt_g.step()
        recorder.step(real_logits=r.detach(), fake_logits=f.detach(), d_loss=d_loss.item(), g_loss=g_loss.item(), real=x, fake=fake.detach())
recorder.close()

G.eval()
with torch.no_grad():
    out = G(torch.randn(1000, G.nz))
classes, dist, _ = outside.digit_quality(out)
e = outside.energy(out, (images / 8 - 1)[torch.randperm(len(images))])
outside.say(classes == 10 and dist < 1.45 and e < 0.03, classes=classes, dist=dist, energy=e)
