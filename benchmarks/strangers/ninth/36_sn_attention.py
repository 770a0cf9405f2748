"""SNGAN/SAGAN in miniature: spectral norm, hinge loss, self-attention, TTUR. Checker/gradient tiles, 8x8."""
import os
import random
import sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm as sn
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "spectral norm + hinge + attention, TTUR 4:1, beta1 = 0: D's loss stays close to 2",
         "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))


class SelfAttention(nn.Module):
    def __init__(self, ch):
        super().__init__()
        self.q, self.k, self.v = (nn.Conv2d(ch, c, 1) for c in (ch // 4, ch // 4, ch))
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        b, c, h, w = x.shape
        q, k, v = self.q(x).flatten(2), self.k(x).flatten(2), self.v(x).flatten(2)
        att = torch.softmax(q.transpose(1, 2) @ k / q.size(1) ** 0.5, dim=-1)
        return x + self.gamma * (v @ att.transpose(1, 2)).view(b, c, h, w)


class GenNet(nn.Module):
    def __init__(self, z=12, c=24):
        super().__init__()
        self.c = c
        self.start = nn.Linear(z, c * 16)
        self.att = SelfAttention(c)
        self.bn1, self.bn2 = nn.BatchNorm2d(c), nn.BatchNorm2d(c)
        self.conv1 = nn.Conv2d(c, c, 3, padding=1)
        self.conv2 = nn.Conv2d(c, 1, 3, padding=1)

    def forward(self, z):
        h = self.start(z).view(-1, self.c, 4, 4)
        h = self.att(F.relu(self.bn1(h)))
        h = F.interpolate(h, scale_factor=2, mode="nearest")
        h = F.relu(self.bn2(self.conv1(h)))
        return torch.tanh(self.conv2(h))


class DiscNet(nn.Module):
    def __init__(self, c=24):
        super().__init__()
        self.conv1 = sn(nn.Conv2d(1, c, 4, 2, 1))
        self.att = SelfAttention(c)
        self.conv2 = sn(nn.Conv2d(c, 2 * c, 4, 2, 1))
        self.fc = sn(nn.Linear(2 * c * 4, 1))

    def forward(self, x):
        h = self.att(F.leaky_relu(self.conv1(x), 0.1))
        h = F.leaky_relu(self.conv2(h), 0.1)
        return self.fc(h.flatten(1))


def tiles(n):
    """linear ramps in a random direction and soft edges"""
    u = np.linspace(-1, 1, 8)
    th = np.random.uniform(0, 2 * np.pi, (n, 1, 1))
    t = np.cos(th) * u[None, None] + np.sin(th) * u[None, :, None]
    sharp = np.where(np.random.rand(n, 1, 1) < 0.5, 0.8, 4.0)
    off = np.random.uniform(-0.3, 0.3, (n, 1, 1))
    return torch.tensor(0.95 * np.tanh(sharp * (t + off)), dtype=torch.float32).unsqueeze(1)


def main():
    random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
    torch.set_num_threads(1)
    pool = tiles(4000)
    gen, disc = GenNet(), DiscNet()
    opt_g = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.0, 0.9))
    opt_d = torch.optim.Adam(disc.parameters(), lr=4e-3, betas=(0.0, 0.9))
    rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=disc, generator_optimizer=opt_g, discriminator_optimizer=opt_d)
    for step in range(480):
        x = pool[torch.randint(0, len(pool), (32,))]
        with torch.no_grad():
            y = gen(torch.randn(32, 12))
        lr_, lf_ = disc(x), disc(y)
        d_loss = F.relu(1.0 - lr_).mean() + F.relu(1.0 + lf_).mean()
        opt_d.zero_grad(); d_loss.backward(); opt_d.step()
        g_loss = -disc(gen(torch.randn(32, 12))).mean()
        opt_g.zero_grad(); g_loss.backward(); opt_g.step()
        rec.step(d_loss=d_loss, g_loss=g_loss, real_logits=lr_.detach(), fake_logits=lf_.detach())
    rec.close()
    with torch.no_grad():
        e = outside.energy(gen(torch.randn(800, 12)), tiles(800))
    outside.say(e < 0.06, energy=e, d_loss=d_loss.item())


if __name__ == "__main__":
    main()
