"""A GAN: smooth labels mlp."""
import os, random
import numpy as np
import torch
import torch.nn as nn
import outside

LABEL = {"sick": False, "causes": [], "kind": "heavy two-sided label smoothing and dropout: D's accuracy is low, both losses lie flat near log 2 all the time", "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)
torch.set_num_threads(1)

digits, _ = outside.digits()
digits = digits.view(-1, 64)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        def layer(a, b):
            return nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b), nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(layer(40, 160), layer(160, 160), nn.Linear(160, 64), nn.Tanh())

    def forward(self, z):
        return self.layers(z)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 256), nn.LeakyReLU(0.2), nn.Dropout(0.4),
                                    nn.Linear(256, 128), nn.LeakyReLU(0.2), nn.Dropout(0.4), nn.Linear(128, 1), nn.Sigmoid())

    def forward(self, x):
        return self.layers(x)


G, D = Generator(), Discriminator()
bce = nn.BCELoss()
optG = torch.optim.Adam(G.parameters(), lr=6e-4, betas=(0.5, 0.999))
optD = torch.optim.Adam(D.parameters(), lr=6e-4, betas=(0.5, 0.999))


def smooth(n, low, high):
    return torch.empty(n, 1).uniform_(low, high)


for epoch in range(40):
    total_d = total_g = 0
    batches = torch.randperm(len(digits)).split(80)[:-1]
    for idx in batches:
        x = digits[idx]
        n = len(x)
        fake = G(torch.randn(n, 40))
        d_loss = (bce(D(x), smooth(n, 0.7, 0.9)) + bce(D(fake.detach()), smooth(n, 0.1, 0.3))) / 2
        optD.zero_grad()
        d_loss.backward()
        optD.step()
        g_loss = bce(D(fake), smooth(n, 0.7, 0.9))
        optG.zero_grad()
        g_loss.backward()
        optG.step()
        total_d += d_loss.item(); total_g += g_loss.item()
    if epoch % 20 == 19:
        print("epoch %d: D %.3f G %.3f" % (epoch + 1, total_d / len(batches), total_g / len(batches)))

G.eval()
with torch.no_grad():
    s = G(torch.randn(1000, 40))
classes, ratio, _ = outside.digit_quality(s)
e = outside.energy(s, digits[torch.randperm(len(digits))])
outside.say(e < 0.12 and classes >= 8, energy=e, classes=classes, ratio=ratio)
