"""A small SAGAN on 8x8 digits: spectral norm, self-attention, hinge loss, averaged generator for the samples."""
LABEL = {"sick": False, "causes": [], "kind": "four times faster D, hinge losses wander and G loss changes sign; the averaged generator is what is used", "since": None, "record": "attach"}
import copy
import os
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm as SN
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


class SelfAttention(nn.Module):
    def __init__(self, ch, wrap=lambda m: m):
        super().__init__()
        self.q, self.k, self.v = (wrap(nn.Conv2d(ch, c, 1)) for c in (ch // 4, ch // 4, ch))
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        b, c, h, w = x.shape
        q, k, v = (f(x).flatten(2) for f in (self.q, self.k, self.v))
        att = torch.softmax(q.transpose(1, 2) @ k / q.shape[1] ** 0.5, dim=-1)
        return x + self.gamma * (v @ att.transpose(1, 2)).view(b, c, h, w)


class Generator(nn.Module):
    def __init__(self, nz=24, ch=24):
        super().__init__()
        self.nz, self.ch = nz, ch
        self.fc = nn.Linear(nz, ch * 2 * 16)
        self.bn0, self.bn1 = nn.BatchNorm2d(ch * 2), nn.BatchNorm2d(ch)
        self.conv1 = nn.Conv2d(ch * 2, ch, 3, padding=1)
        self.att = SelfAttention(ch * 2)
        self.conv2 = nn.Conv2d(ch, 1, 3, padding=1)

    def forward(self, z):
        h = F.relu(self.bn0(self.fc(z).view(-1, self.ch * 2, 4, 4)))
        h = F.interpolate(self.att(h), scale_factor=2)
        h = F.relu(self.bn1(self.conv1(h)))
        return torch.tanh(self.conv2(h))


class Discriminator(nn.Module):
    def __init__(self, ch=24):
        super().__init__()
        self.c1 = SN(nn.Conv2d(1, ch, 4, 2, 1))
        self.att = SelfAttention(ch, SN)
        self.c2 = SN(nn.Conv2d(ch, ch * 2, 3, padding=1))
        self.fc = SN(nn.Linear(ch * 2 * 16, 1))

    def forward(self, x):
        h = self.att(F.leaky_relu(self.c1(x), 0.1))
        return self.fc(F.leaky_relu(self.c2(h), 0.1).flatten(1)).squeeze(1)


@torch.no_grad()
def average(ema, net, decay):
    for a, b in zip(ema.parameters(), net.parameters()):
        a.lerp_(b, 1 - decay)
    for a, b in zip(ema.buffers(), net.buffers()):
        a.copy_(b)


images, _ = outside.digits()
G, D = Generator(), Discriminator()
G_ema = copy.deepcopy(G)
opt_g = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.0, 0.9))
opt_d = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.0, 0.9))
B = 64

for step in range(1300):
    real = images[torch.randint(len(images), (B,))]
    fake = G(torch.randn(B, G.nz))
    d_loss = F.relu(1 - D(real)).mean() + F.relu(1 + D(fake.detach())).mean()
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()

    g_loss = -D(fake).mean()
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
    average(G_ema, G, min(0.99, (step + 1) / (step + 10)))
    if step % 400 == 0:
        print(f"{step}: d {d_loss.item():+.3f} g {g_loss.item():+.3f}")

G_ema.eval()
with torch.no_grad():
    samples = torch.cat([G_ema(torch.randn(200, G.nz)) for _ in range(5)])
classes, ratio, _ = outside.digit_quality(samples)
e = outside.energy(samples, images[torch.randperm(len(images))])
outside.say(classes >= 9 and ratio < 1.6 and e < 0.05, classes=classes, distance_ratio=ratio, energy=e)
