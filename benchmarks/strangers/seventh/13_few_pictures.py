"""GAN for my own picture collection. Convolutional, trained on whatever is in the folder."""
import os, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

LABEL = {"sick": True, "causes": ["discriminator_overfitting", "memorisation", "discriminator_dominance"],
         "kind": "only 10 training pictures, a large D without any regularisation: D learns them by heart, G can but copy them",
         "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

N_PICTURES = 10


def picture(rs):
    """a 12x12 greyscale 'face': head, two eyes, mouth"""
    y, x = np.mgrid[:12, :12].astype(float)
    cy, cx = rs.uniform(4.8, 6.2, 2)
    rx, ry = rs.uniform(3.5, 5.2, 2)
    im = 1 / (1 + np.exp(6 * (((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 - 1)))
    im *= rs.uniform(0.5, 1.0)
    gap, size = rs.uniform(1.2, 2.2), rs.uniform(0.5, 1.0)
    for s in (-1, 1):
        im -= 0.9 * np.exp(-((x - cx - s * gap) ** 2 + (y - cy + 1.2) ** 2) / size)
    im -= 0.8 * np.exp(-(((x - cx) / rs.uniform(0.8, 2)) ** 2 + (y - cy - 2 - rs.uniform(-0.2, 0.2) * (x - cx) ** 2) ** 2) / 0.6)
    return np.clip(im, 0, 1) * 2 - 1


rs = np.random.RandomState(100 + SEED)
pictures = torch.tensor(np.stack([picture(rs) for _ in range(N_PICTURES)]), dtype=torch.float32)[:, None]


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.start = nn.Sequential(nn.Linear(32, 48 * 9), nn.BatchNorm1d(48 * 9), nn.ReLU())
        self.up1 = nn.Sequential(nn.ConvTranspose2d(48, 32, 4, 2, 1), nn.BatchNorm2d(32), nn.ReLU())
        self.up2 = nn.ConvTranspose2d(32, 1, 4, 2, 1)

    def forward(self, z):
        return torch.tanh(self.up2(self.up1(self.start(z).view(-1, 48, 3, 3))))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, 32, 4, 2, 1), nn.Conv2d(32, 64, 4, 2, 1)
        self.f1, self.f2 = nn.Linear(64 * 9, 128), nn.Linear(128, 1)

    def forward(self, x):
        h = F.leaky_relu(self.c2(F.leaky_relu(self.c1(x), 0.2)), 0.2)
        return self.f2(F.leaky_relu(self.f1(h.flatten(1)), 0.2))


gen, dis = Generator(), Critic()
og = torch.optim.Adam(gen.parameters(), lr=7e-4, betas=(0.5, 0.999))
od = torch.optim.Adam(dis.parameters(), lr=7e-4, betas=(0.5, 0.999))

for it in range(1000):
    real = pictures[torch.randint(len(pictures), (32,))]
    z = torch.randn(32, 32)
    fake = gen(z)
    loss_d = F.softplus(-dis(real)).mean() + F.softplus(dis(fake.detach())).mean()
    od.zero_grad()
    loss_d.backward()
    od.step()
    loss_g = F.softplus(-dis(fake)).mean()
    og.zero_grad()
    loss_g.backward()
    og.step()
    if it % 500 == 0:
        print(it, round(loss_d.item(), 3), round(loss_g.item(), 3))

with torch.no_grad():
    s = gen(torch.randn(800, 32)).flatten(1)
fresh = torch.tensor(np.stack([picture(np.random.RandomState(5000 + i)) for i in range(800)]), dtype=torch.float32).flatten(1)
# are the samples new? their distance to the nearest training picture, in units of that of unseen pictures
train = pictures.flatten(1)
novelty = (torch.cdist(s, train).min(1).values.mean() / torch.cdist(fresh, train).min(1).values.mean()).item()
e = outside.energy(s, fresh)
outside.say(novelty > 0.6 and e < 0.07, energy=e, novelty=novelty)
