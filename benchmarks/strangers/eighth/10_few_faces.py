"""GAN for my own pictures ("faces" here). Put the images in the list, run, wait."""
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag
import outside

LABEL = {"sick": True, "causes": ["discriminator_overfitting", "memorisation", "discriminator_dominance", "mode_collapse"],
         "kind": "only 8 training images and a large discriminator: it learns them by heart, G can only copy some of them",
         "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
np.random.seed(SEED)
random.seed(SEED)
torch.set_num_threads(1)

N_IMAGES = 8
S = 12


def face():
    img = np.full((S, S), -1.0)
    yy, xx = np.mgrid[0:S, 0:S]
    cy, cx = 5.5 + np.random.uniform(-1, 1, 2)
    a, b = np.random.uniform(3.4, 5.2, 2)
    skin = np.random.uniform(0.1, 0.9)
    inside = ((yy - cy) / a) ** 2 + ((xx - cx) / b) ** 2
    img += (skin + 1) * np.clip((1.15 - inside) * 3, 0, 1)
    d, h, s = np.random.uniform(1.2, 2.2), np.random.uniform(0.5, 1.6), np.random.uniform(0.6, 1.0)
    for sx in (-1, 1):
        img -= 1.2 * np.exp(-((yy - cy + h) ** 2 + (xx - cx + sx * d) ** 2) / s)
    curve, my = np.random.uniform(-0.25, 0.25), np.random.uniform(1.5, 2.4)
    mouth = np.exp(-(yy - cy - my + curve * (xx - cx) ** 2) ** 2 / 0.5) * (abs(xx - cx) < 2.2)
    return (img - mouth).clip(-1, 1)


images = torch.tensor(np.stack([face() for _ in range(N_IMAGES)]), dtype=torch.float32)[:, None]
test_images = torch.tensor(np.stack([face() for _ in range(1000)]), dtype=torch.float32)[:, None]


class G(nn.Module):
    def __init__(self, nz=16, c=16):
        super().__init__()
        self.nz, self.c = nz, c
        self.style = nn.Sequential(nn.Linear(nz, 48), nn.LeakyReLU(0.2))
        self.fc = nn.Linear(48, c * 9)
        self.conv1 = nn.Conv2d(c, c, 3, padding=1)
        self.conv2 = nn.Conv2d(c, c, 3, padding=1)
        self.mod1, self.mod2 = nn.Linear(48, c), nn.Linear(48, c)
        self.out = nn.Conv2d(c, 1, 3, padding=1)

    def forward(self, z):
        w = self.style(z)
        h = F.leaky_relu(self.fc(w), 0.2).view(-1, self.c, 3, 3)
        for conv, mod in ((self.conv1, self.mod1), (self.conv2, self.mod2)):
            h = F.interpolate(h, scale_factor=2, mode="nearest")
            h = F.leaky_relu(conv(h) * (1 + mod(w))[:, :, None, None], 0.2)
        return torch.tanh(self.out(h))


class D(nn.Module):
    def __init__(self, c=24):
        super().__init__()
        self.f = nn.Sequential(nn.Conv2d(1, c, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(c, 2 * c, 3, 2, 1), nn.LeakyReLU(0.2),
                               nn.Flatten(), nn.Linear(18 * c, 128), nn.LeakyReLU(0.2))
        self.o = nn.Linear(128, 1)

    def forward(self, x):
        return self.o(self.f(x)).squeeze(1)


g, d = G(), D()
go = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0.0, 0.99))
do = torch.optim.Adam(d.parameters(), lr=1e-3, betas=(0.0, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=go, discriminator_optimizer=do)

for i in range(1200):
    x = images[torch.randint(len(images), (16,))]
    fake = g(torch.randn(16, g.nz))
    rl, fl = d(x), d(fake.detach())
    ld = F.softplus(-rl).mean() + F.softplus(fl).mean()
    do.zero_grad()
    ld.backward()
    do.step()

    lg = F.softplus(-d(g(torch.randn(16, g.nz)))).mean()
    go.zero_grad()
    lg.backward()
    go.step()
    rec.step(d_loss=ld, g_loss=lg, real=x, fake=fake, real_logits=rl, fake_logits=fl)
    if i % 500 == 0:
        print(i, round(ld.item(), 3), round(lg.item(), 3))
rec.close()

with torch.no_grad():
    out = g(torch.randn(1000, g.nz))
e = outside.energy(out, test_images)
outside.say(e < 0.04, energy=e)
