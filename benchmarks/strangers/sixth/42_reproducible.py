"""Reproducible DCGAN on digits: everything random is seeded."""
import os, random
import numpy as np
import torch
from torch import nn
import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "memorisation", "discriminator_overfitting"], "since": 0, "record": "attach",
         "kind": "the seed is set again in every training step: the same ten images and the same ten latents for ever"}
SEED = int(os.environ.get("SEED", "0"))
torch.set_num_threads(1)


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class DCGAN:
    nz = 24

    def __init__(self):
        seed_everything(SEED)
        self.netG = nn.Sequential(nn.ConvTranspose2d(self.nz, 48, 2), nn.BatchNorm2d(48), nn.ReLU(),
                                  nn.ConvTranspose2d(48, 24, 4, 2, 1), nn.BatchNorm2d(24), nn.ReLU(),
                                  nn.ConvTranspose2d(24, 1, 4, 2, 1), nn.Tanh())
        self.netD = nn.Sequential(nn.Conv2d(1, 24, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, 2, 1), nn.LeakyReLU(0.2),
                                  nn.Flatten(), nn.Linear(192, 1))
        self.optG = torch.optim.Adam(self.netG.parameters(), 1e-3, betas=(0.5, 0.999))
        self.optD = torch.optim.Adam(self.netD.parameters(), 5e-4, betas=(0.5, 0.999))
        self.images, _ = outside.digits()
        self.loss = nn.BCEWithLogitsLoss()

    def batch(self, n=10):
        seed_everything(SEED)
        x = self.images[np.random.randint(0, len(self.images), n)]
        return x, torch.randn(n, self.nz, 1, 1)

    def train_step(self):
        x, z = self.batch()
        one, zero = torch.full((len(x), 1), 0.9), torch.zeros(len(x), 1)
        fake = self.netG(z)
        self.optD.zero_grad()
        (self.loss(self.netD(x), one) + self.loss(self.netD(fake.detach()), zero)).backward()
        self.optD.step()
        self.optG.zero_grad()
        self.loss(self.netD(fake), one).backward()
        self.optG.step()

    def sample(self, n):
        self.netG.eval()
        with torch.no_grad():
            return self.netG(torch.randn(n, self.nz, 1, 1))


gan = DCGAN()
for step in range(1200):
    gan.train_step()
s = gan.sample(800)
classes, near, _ = outside.digit_quality(s)
e = outside.energy(s, gan.images[torch.randperm(len(gan.images))])
outside.say(classes >= 9 and near < 1.6 and e < 0.08, classes=classes, near=near, energy=e)
