"""
Conditional GAN (Mirza & Osindero) on the 8x8 digits, homework 4.
Labels are embedded and concatenated to the input of both networks.
"""
import os
import random
import sys

import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["data_mismatch"],
         "kind": "images are shuffled once with a permutation, the labels are not: condition and digit do not belong together",
         "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


class CondGenerator(nn.Module):
    def __init__(self, z=16, n_classes=10):
        super().__init__()
        self.emb = nn.Embedding(n_classes, 10)
        self.l1 = nn.Linear(z + 10, 128)
        self.b1 = nn.BatchNorm1d(128)
        self.l2 = nn.Linear(128, 192)
        self.b2 = nn.BatchNorm1d(192)
        self.l3 = nn.Linear(192, 64)

    def forward(self, z, y):
        h = torch.cat([z, self.emb(y)], dim=1)
        h = torch.relu(self.b1(self.l1(h)))
        h = torch.relu(self.b2(self.l2(h)))
        return torch.tanh(self.l3(h)).view(-1, 1, 8, 8)


class CondDiscriminator(nn.Module):
    def __init__(self, n_classes=10):
        super().__init__()
        self.emb = nn.Embedding(n_classes, 10)
        self.l1 = nn.Linear(64 + 10, 192)
        self.l2 = nn.Linear(192, 96)
        self.l3 = nn.Linear(96, 1)

    def forward(self, x, y):
        h = torch.cat([x.flatten(1), self.emb(y)], dim=1)
        h = nn.functional.leaky_relu(self.l1(h), 0.2)
        h = nn.functional.leaky_relu(self.l2(h), 0.2)
        return self.l3(h)


def load(shuffle=True):
    images, labels = outside.digits()
    if shuffle:
        perm = torch.randperm(len(images))
        images = images[perm]
    return images, labels


def main():
    images, labels = load()
    gen, dis = CondGenerator(), CondDiscriminator()
    opt_g = torch.optim.Adam(gen.parameters(), lr=0.001, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(dis.parameters(), lr=0.001, betas=(0.5, 0.999))
    bce = nn.BCEWithLogitsLoss()
    bs = 64
    rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=opt_g,
                           discriminator_optimizer=opt_d)
    for epoch in range(40):
        for start in range(0, len(images) - bs + 1, bs):
            x, y = images[start:start + bs], labels[start:start + bs]
            z = torch.randn(bs, 16)
            x_fake = gen(z, y)

            opt_d.zero_grad()
            d_loss = bce(dis(x, y), torch.full((bs, 1), 0.9)) + bce(dis(x_fake.detach(), y), torch.zeros(bs, 1))
            d_loss.backward()
            opt_d.step()

            opt_g.zero_grad()
            g_loss = bce(dis(x_fake, y), torch.ones(bs, 1))
            g_loss.backward()
            opt_g.step()
            rec.step(d_loss=d_loss, g_loss=g_loss, real=x, fake=x_fake.detach())
    rec.close()
    print("d %.3f g %.3f" % (d_loss.item(), g_loss.item()))

    with torch.no_grad():
        y = torch.arange(10).repeat(80)
        x = gen(torch.randn(800, 16), y)
    classes, near, acc = outside.digit_quality(x, y)
    e = outside.energy(x, images)
    outside.say(acc > 0.5 and e < 0.1, energy=e, classes=classes, near=near, wanted=acc)


if __name__ == "__main__":
    main()
