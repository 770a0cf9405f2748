"""Digits out of folders, one folder a class, convolutional GAN."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "images sorted by class, the loader does not shuffle", "since": 0, "record": "attach"}
import os
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader
from sklearn.datasets import load_digits
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))


class DigitFolder(Dataset):
    """Reads the digits folder by folder: 0/, 1/, ... 9/."""

    def __init__(self):
        x, y = load_digits(return_X_y=True)
        self.files = []
        for folder in range(10):
            for row in np.where(y == folder)[0]:
                self.files.append(x[row])

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        return torch.tensor(self.files[i] / 8 - 1, dtype=torch.float32)


class Generator(nn.Module):
    def __init__(self, latent):
        super().__init__()

        def block(i, o, normalise=True):
            layers = [nn.Linear(i, o)]
            if normalise:
                layers.append(nn.BatchNorm1d(o, 0.8))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            return layers

        self.model = nn.Sequential(*block(latent, 64, normalise=False), *block(64, 128), *block(128, 128), nn.Linear(128, 64), nn.Tanh())

    def forward(self, z):
        return self.model(z)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2, inplace=True), nn.Dropout(0.3), nn.Linear(128, 64), nn.LeakyReLU(0.2, inplace=True), nn.Dropout(0.3), nn.Linear(64, 1), nn.Sigmoid())

    def forward(self, img):
        return self.model(img)


latent_dim = 24
adversarial_loss = nn.BCELoss()
generator, discriminator = Generator(latent_dim), Discriminator()
dataloader = DataLoader(DigitFolder(), batch_size=32)
optimizer_G = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.0, 0.99))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.0, 0.99))

for epoch in range(26):
    for i, imgs in enumerate(dataloader):
        valid = torch.ones(imgs.size(0), 1)
        fake = torch.zeros(imgs.size(0), 1)

        optimizer_G.zero_grad()
        z = torch.randn(imgs.size(0), latent_dim)
        gen_imgs = generator(z)
        g_loss = adversarial_loss(discriminator(gen_imgs), valid)
        g_loss.backward()
        optimizer_G.step()

        optimizer_D.zero_grad()
        real_loss = adversarial_loss(discriminator(imgs), valid)
        fake_loss = adversarial_loss(discriminator(gen_imgs.detach()), fake)
        d_loss = (real_loss + fake_loss) / 2
        d_loss.backward()
        optimizer_D.step()
    if epoch % 6 == 0:
        print("[Epoch %d] [D loss: %f] [G loss: %f]" % (epoch, d_loss.item(), g_loss.item()))

generator.eval()
with torch.no_grad():
    s = generator(torch.randn(1000, latent_dim))
x, _ = outside.digits()
e = outside.energy(s, x[torch.randperm(len(x))])
classes, quality, _ = outside.digit_quality(s)
outside.say(e < 0.04 and classes >= 9, energy=e, classes=classes, quality=quality)
