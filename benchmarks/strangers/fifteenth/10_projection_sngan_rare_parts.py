"""Class-conditional SNGAN (hinge, projection discriminator, EMA weights) for X-ray icons of machine parts, some of them rare."""
LABEL = {"sick": False, "causes": [], "kind": "classes are 64/20/10/6 percent, hinge scores saturate, spectral norm everywhere, two critic steps, the samples come from averaged weights", "since": None, "record": "lines"}

import copy
import os
import sys

import numpy as np
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm as sn
from sklearn.neighbors import KNeighborsClassifier

import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
SHARES = [0.64, 0.20, 0.10, 0.06]


def part_icons(labels, rng):
    """0 washer, 1 bolt, 2 bracket, 3 spring -- 8x8, with random exposure and mounting shift."""
    n = len(labels)
    k = np.arange(8) - 3.5
    y, x = np.meshgrid(k, k, indexing="ij")
    sx, sy = rng.normal(0, 0.35, (2, n, 1, 1))
    x, y = x - sx, y - sy
    r = np.sqrt(x ** 2 + y ** 2)
    washer = np.exp(-(r - 2.4) ** 2)
    bolt = np.exp(-x ** 2 / 1.2) * (np.abs(y) < 3.6) + np.exp(-(y + 2.5) ** 2) * (np.abs(x) < 2.6)
    bracket = np.maximum(np.exp(-(x + 2) ** 2), np.exp(-(y - 2) ** 2))
    spring = 0.5 + 0.5 * np.sin(1.6 * (y + 0.5 * x))
    every = np.stack([washer, bolt.clip(0, 1), bracket, spring])
    img = every[labels, np.arange(n)] * rng.uniform(0.8, 1.0, (n, 1, 1))
    return torch.tensor(2 * img - 1, dtype=torch.float32).unsqueeze(1)


class CondNorm(nn.Module):
    def __init__(self, c, k=4):
        super().__init__()
        self.bn = nn.BatchNorm2d(c, affine=False)
        self.gain = nn.Embedding(k, c)
        self.bias = nn.Embedding(k, c)
        nn.init.ones_(self.gain.weight)
        nn.init.zeros_(self.bias.weight)

    def forward(self, x, y):
        return self.bn(x) * self.gain(y)[..., None, None] + self.bias(y)[..., None, None]


class Generator(nn.Module):
    def __init__(self, nz=8, c=16):
        super().__init__()
        self.nz, self.c = nz, c
        self.emb = nn.Embedding(4, 8)
        self.fc = nn.Linear(nz + 8, c * 16)
        self.n0 = CondNorm(c)
        self.up = nn.ConvTranspose2d(c, c, 4, 2, 1)
        self.n1 = CondNorm(c)
        self.out = nn.Conv2d(c, 1, 3, 1, 1)

    def forward(self, z, y):
        h = self.fc(torch.cat([z, self.emb(y)], 1)).view(-1, self.c, 4, 4)
        h = torch.relu(self.n0(h, y))
        h = torch.relu(self.n1(self.up(h), y))
        return torch.tanh(self.out(h))


class Discriminator(nn.Module):
    def __init__(self, c=16):
        super().__init__()
        self.body = nn.Sequential(
            sn(nn.Conv2d(1, c, 3, 1, 1)), nn.LeakyReLU(0.1),
            sn(nn.Conv2d(c, c, 4, 2, 1)), nn.LeakyReLU(0.1),
            nn.Flatten(), sn(nn.Linear(c * 16, 64)), nn.LeakyReLU(0.1))
        self.lin = sn(nn.Linear(64, 1))
        self.proj = sn(nn.Embedding(4, 64))

    def forward(self, x, y):
        h = self.body(x)
        return self.lin(h) + (self.proj(y) * h).sum(1, keepdim=True)


@torch.no_grad()
def update_average(avg, net, beta):
    for a, b in zip(avg.parameters(), net.parameters()):
        a.lerp_(b, 1 - beta)
    for a, b in zip(avg.buffers(), net.buffers()):
        a.copy_(b)


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    y_all = rng.choice(4, 4000, p=SHARES)
    x_all = part_icons(y_all, rng)
    y_all = torch.tensor(y_all)
    weights = torch.tensor(SHARES)

    G, D = Generator(), Discriminator()
    G_avg = copy.deepcopy(G).requires_grad_(False)
    opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.0, 0.9))
    opt_d = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.0, 0.9))
    recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)
    B = 48
    for step in range(900):
        for _ in range(2):
            i = torch.randint(len(x_all), (B,))
            real, y = x_all[i], y_all[i]
            with torch.no_grad():
                fy = torch.multinomial(weights, B, replacement=True)
                fake = G(torch.randn(B, G.nz), fy)
            s_real, s_fake = D(real, y), D(fake, fy)
            d_loss = torch.relu(1 - s_real).mean() + torch.relu(1 + s_fake).mean()
            opt_d.zero_grad()
            d_loss.backward()
            opt_d.step()
        fy = torch.multinomial(weights, B, replacement=True)
        fake = G(torch.randn(B, G.nz), fy)
        g_loss = -D(fake, fy).mean()
        opt_g.zero_grad()
        g_loss.backward()
        opt_g.step()
        update_average(G_avg, G, 0.0 if step < 200 else 0.99)
        if step % 250 == 0:
            print(step, f"{d_loss.item():.3f} {g_loss.item():.3f}")
        recorder.step(real_logits=s_real, fake_logits=s_fake, d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)
    recorder.close()

    G_avg.eval()
    test = np.repeat(np.arange(4), 250)
    truth = part_icons(test, rng)
    with torch.no_grad():
        made = G_avg(torch.randn(1000, G.nz), torch.tensor(test))
    knn = KNeighborsClassifier(1).fit(truth.flatten(1).numpy(), test)
    accuracy = (knn.predict(made.flatten(1).numpy()) == test).mean()
    each = [outside.energy(made[test == k], truth[test == k]) for k in range(4)]
    outside.say(accuracy > 0.97 and max(each) < 0.08, accuracy=accuracy, energy=outside.energy(made, truth),
                worst_class=max(each), washer=each[0], bolt=each[1], bracket=each[2], spring=each[3])


if __name__ == "__main__":
    main()
