"""Sorted blobs."""
# gan on "coins": a bright disc on one of nine places of an 9x9 picture. Data comes from nine generated folders.
import os, random, sys
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset
import gandiag
import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "mode_dropping", "mode_collapse", "oscillation"],
         "kind": "the loader isn't shuffled and the data lie sorted by class: D and G see one class after the other",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

yy, xx = np.mgrid[0:9, 0:9]
PLACES = [(r, c) for r in (1, 4, 7) for c in (1, 4, 7)]


def folder(place, n=320):
    cy, cx = place
    r = np.random.uniform(1.0, 1.7, (n, 1, 1))
    v = np.random.uniform(0.7, 1.0, (n, 1, 1))
    img = v * np.clip(r + 0.5 - np.hypot(yy - cy, xx - cx), 0, 1) * 2 - 1
    return torch.tensor(img, dtype=torch.float32).unsqueeze(1)


folders = [folder(p) for p in PLACES]
train_set = ConcatDataset([TensorDataset(f) for f in folders])
train_loader = DataLoader(train_set, batch_size=40, shuffle=False, drop_last=True)


class GeneratorNet(torch.nn.Module):
    def __init__(self, n_features=20):
        super().__init__()
        self.hidden0 = nn.Sequential(nn.Linear(n_features, 128), nn.BatchNorm1d(128), nn.LeakyReLU(0.2))
        self.hidden1 = nn.Sequential(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.LeakyReLU(0.2))
        self.out = nn.Sequential(nn.Linear(128, 81), nn.Tanh())

    def forward(self, x):
        return self.out(self.hidden1(self.hidden0(x)))


class DiscriminatorNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden0 = nn.Sequential(nn.Linear(81, 160), nn.LeakyReLU(0.2))
        self.hidden1 = nn.Sequential(nn.Linear(160, 80), nn.LeakyReLU(0.2))
        self.out = nn.Sequential(nn.Linear(80, 1), nn.Sigmoid())

    def forward(self, x):
        return self.out(self.hidden1(self.hidden0(x.flatten(1))))


def noise(size):
    return torch.randn(size, 20)


def train_discriminator(optimizer, real, fake):
    optimizer.zero_grad()
    p_real = discriminator(real)
    e_real = loss(p_real, torch.ones_like(p_real))
    e_real.backward()
    p_fake = discriminator(fake)
    e_fake = loss(p_fake, torch.zeros_like(p_fake))
    e_fake.backward()
    optimizer.step()
    return e_real + e_fake


def train_generator(optimizer, fake):
    optimizer.zero_grad()
    p = discriminator(fake)
    e = loss(p, torch.ones_like(p))
    e.backward()
    optimizer.step()
    return e


discriminator, generator = DiscriminatorNet(), GeneratorNet()
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=0.0007, betas=(0.5, 0.999))
g_optimizer = torch.optim.Adam(generator.parameters(), lr=0.0007, betas=(0.5, 0.999))
loss = nn.BCELoss()
recorder = gandiag.Recorder(sys.argv[1], generator=generator, discriminator=discriminator, generator_optimizer=g_optimizer,
                            discriminator_optimizer=d_optimizer, automatic=True, discriminator_output="probability")
for epoch in range(16):
    for n_batch, (real_batch,) in enumerate(train_loader):
        fake = generator(noise(len(real_batch))).detach()
        d_error = train_discriminator(d_optimizer, real_batch, fake)
        fake = generator(noise(len(real_batch)))
        g_error = train_generator(g_optimizer, fake)
    if epoch % 5 == 0:
        print("epoch", epoch, "d", round(d_error.item(), 3), "g", round(g_error.item(), 3))
recorder.close()

with torch.no_grad():
    s = generator(noise(1000))
allr = torch.cat(folders)
e = outside.energy(s, allr[torch.randperm(len(allr))])
n, near = outside.modes(s, np.stack([f.mean(0).flatten().numpy() for f in folders]), 3.5)
outside.say(e < 0.12 and n >= 7, energy=e, places=n, near=near)
