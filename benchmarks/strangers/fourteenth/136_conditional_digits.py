"""Conditional GAN on digits with a doubled data set (a second copy with changed contrast and a little noise)."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "images are doubled by cat (copy after copy) but the labels by repeat_interleave, so nearly every image carries a wrong label", "since": 0, "record": "automatic"}
import os
import sys
import random
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader
import outside
from gandiag.recording import Recorder


def seed_all(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class AugmentedDigits(Dataset):
    """The originals followed by their augmented copies."""

    def __init__(self):
        images, labels = outside.digits()
        images = images.flatten(1)
        contrast = 0.85 + 0.15 * torch.rand(len(images), 1)
        copies = ((images + 1) * contrast - 1 + 0.03 * torch.randn_like(images)).clamp(-1, 1)
        self.images = torch.cat([images, copies])
        self.labels = labels.repeat_interleave(2)
        assert len(self.images) == len(self.labels)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i], self.labels[i]


class ConditionalG(nn.Module):
    def __init__(self, nz=20, classes=10):
        super().__init__()
        self.nz = nz
        self.embed = nn.Embedding(classes, 20)
        self.net = nn.Sequential(nn.Linear(nz + 20, 192), nn.BatchNorm1d(192), nn.ReLU(),
                                 nn.Linear(192, 192), nn.BatchNorm1d(192), nn.ReLU(),
                                 nn.Linear(192, 64), nn.Tanh())

    def forward(self, z, y):
        return self.net(torch.cat([z, self.embed(y)], 1))


class ConditionalD(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.embed = nn.Embedding(classes, 20)
        self.net = nn.Sequential(nn.Linear(64 + 20, 192), nn.LeakyReLU(0.2), nn.Dropout(0.2),
                                 nn.Linear(192, 192), nn.LeakyReLU(0.2), nn.Dropout(0.2),
                                 nn.Linear(192, 1))

    def forward(self, x, y):
        return self.net(torch.cat([x, self.embed(y)], 1)).squeeze(1)


def main(epochs=40, batch=64):
    torch.set_num_threads(1)
    seed_all(int(os.environ.get("SEED", "0")))
    loader = DataLoader(AugmentedDigits(), batch_size=batch, shuffle=True, drop_last=True)
    G, D = ConditionalG(), ConditionalD()
    opt_g = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.999))
    loss = nn.BCEWithLogitsLoss()
    recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)

    for epoch in range(epochs):
        for x, y in loader:
            z = torch.randn(batch, G.nz)
            fake = G(z, y)
            out_real, out_fake = D(x, y), D(fake.detach(), y)
            loss_d = loss(out_real, torch.full((batch,), 0.9)) + loss(out_fake, torch.zeros(batch))
            opt_d.zero_grad()
            loss_d.backward()
            opt_d.step()

            loss_g = loss(D(fake, y), torch.ones(batch))
            opt_g.zero_grad()
            loss_g.backward()
            opt_g.step()
        if epoch % 8 == 0:
            print(f"epoch {epoch}: loss_d {loss_d.item():.3f} loss_g {loss_g.item():.3f}")
    recorder.close()

    G.eval()
    want = torch.arange(1000) % 10
    with torch.no_grad():
        samples = G(torch.randn(1000, G.nz), want)
    classes, ratio, accuracy = outside.digit_quality(samples, want)
    outside.say(accuracy > 0.7 and classes >= 9, accuracy=accuracy, classes=classes, distance_ratio=ratio)


if __name__ == "__main__":
    main()
