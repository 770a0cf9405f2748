"""Conditional GAN: ask for a digit, get a digit (sklearn's 8x8 digits, label embedding, dense nets)."""
LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"], "kind": "the pictures are shuffled each epoch but the labels are not, so labels do not belong to the pictures", "since": 0, "record": "attach"}

import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import outside

SEED = int(os.environ.get("SEED", "0"))
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

N_CLASSES, Z_DIM, BATCH, EPOCHS = 10, 24, 60, 110


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.label_emb = nn.Embedding(N_CLASSES, 16)
        self.fc1 = nn.Linear(Z_DIM + 16, 160)
        self.bn1 = nn.BatchNorm1d(160)
        self.fc2 = nn.Linear(160, 160)
        self.bn2 = nn.BatchNorm1d(160)
        self.fc3 = nn.Linear(160, 64)

    def forward(self, z, y):
        h = torch.cat([z, self.label_emb(y)], dim=1)
        h = F.leaky_relu(self.bn1(self.fc1(h)), 0.1)
        h = F.leaky_relu(self.bn2(self.fc2(h)), 0.1)
        return torch.tanh(self.fc3(h)).view(-1, 1, 8, 8)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.label_emb = nn.Embedding(N_CLASSES, 16)
        self.fc1 = nn.Linear(64 + 16, 192)
        self.fc2 = nn.Linear(192, 96)
        self.fc3 = nn.Linear(96, 1)
        self.drop = nn.Dropout(0.25)

    def forward(self, x, y):
        h = torch.cat([x.flatten(1), self.label_emb(y)], dim=1)
        h = self.drop(F.leaky_relu(self.fc1(h), 0.2))
        h = self.drop(F.leaky_relu(self.fc2(h), 0.2))
        return self.fc3(h)


def iterate_batches(images, labels):
    """One epoch, in a new random order."""
    order = np.random.permutation(len(images))
    images = images[order]
    for start in range(0, len(images) - BATCH + 1, BATCH):
        yield images[start:start + BATCH], labels[start:start + BATCH]


images, labels = outside.digits()
netG, netD = Generator(), Discriminator()
optG = torch.optim.Adam(netG.parameters(), 5e-4, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), 5e-4, betas=(0.5, 0.999))

for epoch in range(EPOCHS):
    for real, y in iterate_batches(images, labels):
        n = len(real)
        valid, invalid = torch.full((n, 1), 0.9), torch.zeros(n, 1)
        fake_y = torch.randint(0, N_CLASSES, (n,))
        fake = netG(torch.randn(n, Z_DIM), fake_y)

        optD.zero_grad()
        lossD = (F.binary_cross_entropy_with_logits(netD(real, y), valid)
                 + F.binary_cross_entropy_with_logits(netD(fake.detach(), fake_y), invalid)) / 2
        lossD.backward()
        optD.step()

        optG.zero_grad()
        lossG = F.binary_cross_entropy_with_logits(netD(fake, fake_y), torch.ones(n, 1))
        lossG.backward()
        optG.step()
    if epoch % 20 == 0:
        print("epoch", epoch, "D", float(lossD), "G", float(lossG))

netG.eval()
with torch.no_grad():
    want = torch.arange(1000) % 10
    pics = netG(torch.randn(1000, Z_DIM), want)
classes, near, accuracy = outside.digit_quality(pics, want)
e = outside.energy(pics, images[torch.randperm(len(images))])
outside.say(accuracy > 0.8 and classes == 10 and e < 0.06, accuracy=accuracy, classes=classes, near=near, energy=e)
