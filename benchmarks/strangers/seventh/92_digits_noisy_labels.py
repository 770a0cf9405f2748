"""A GAN: digits noisy labels."""
import os
import random
import numpy as np
import torch
import torch.nn as nn
import outside

LABEL = {"sick": False, "causes": [], "kind": "dense G, conv D on 8x8 digits, one-sided smoothing, flipped labels and instance noise, G trained before D", "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)
opts = dict(latent_dim=32, lr_G=0.0005, lr_D=0.001, b1=0.5, b2=0.999, bs=48, epochs=42, noise=0.15, flip=0.03)

imgs, _ = outside.digits()


def block(i, o):
    return [nn.Linear(i, o), nn.BatchNorm1d(o, 0.8), nn.LeakyReLU(0.2, inplace=True)]


class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(*block(opts["latent_dim"], 96), *block(96, 192), nn.Linear(192, 64), nn.Tanh())

    def forward(self, z):
        return self.model(z).view(-1, 1, 8, 8)


class Disc(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 20, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout(0.1),
            nn.Conv2d(20, 40, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout(0.1))
        self.adv = nn.Sequential(nn.Linear(40 * 4, 1), nn.Sigmoid())

    def forward(self, x):
        if self.training:
            x = x + opts["noise"] * torch.randn_like(x)
        return self.adv(self.features(x).flatten(1))


generator, discriminator = Gen(), Disc()
adversarial_loss = nn.BCELoss()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=opts["lr_G"], betas=(opts["b1"], opts["b2"]))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=opts["lr_D"], betas=(opts["b1"], opts["b2"]))

for epoch in range(opts["epochs"]):
    for chunk in torch.randperm(len(imgs)).split(opts["bs"]):
        real = imgs[chunk]
        n = len(real)
        valid = torch.empty(n, 1).uniform_(0.8, 1.0)
        flip = torch.rand(n, 1) < opts["flip"]
        valid[flip] = 0.0
        # generator first
        optimizer_G.zero_grad()
        gen = generator(torch.randn(n, opts["latent_dim"]))
        g_loss = adversarial_loss(discriminator(gen), torch.ones(n, 1))
        g_loss.backward()
        optimizer_G.step()
        # then the discriminator
        optimizer_D.zero_grad()
        d_loss = (adversarial_loss(discriminator(real), valid) + adversarial_loss(discriminator(gen.detach()), torch.zeros(n, 1))) / 2
        d_loss.backward()
        optimizer_D.step()

with torch.no_grad():
    s = generator(torch.randn(1000, opts["latent_dim"]))
classes, dist, _ = outside.digit_quality(s)
e = outside.energy(s, imgs[torch.randperm(len(imgs))][:1000])
outside.say(classes >= 9 and dist < 1.7 and e < 0.05, classes=classes, distance=dist, energy=e)
