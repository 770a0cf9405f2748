"""
Conditional GAN, small version of the well-known "PyTorch-GAN" cgan.py for the 8x8 digits.
"""
LABEL = {"sick": True, "causes": ["data_mismatch"],
         "kind": "images are shuffled but not their labels, so that labels do not belong to the images", "since": 0, "record": "lines"}
import argparse
import os
import random
import sys

import numpy as np
import torch
import torch.nn as nn

import gandiag
import outside

parser = argparse.ArgumentParser()
parser.add_argument("run")
parser.add_argument("--n_epochs", type=int, default=45, help="number of epochs of training")
parser.add_argument("--batch_size", type=int, default=64)
parser.add_argument("--lr", type=float, default=0.001)
parser.add_argument("--b1", type=float, default=0.5)
parser.add_argument("--b2", type=float, default=0.999)
parser.add_argument("--latent_dim", type=int, default=16)
parser.add_argument("--n_classes", type=int, default=10)
opt = parser.parse_args()

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.label_emb = nn.Embedding(opt.n_classes, opt.n_classes)

        def block(in_feat, out_feat, normalize=True):
            layers = [nn.Linear(in_feat, out_feat)]
            if normalize:
                layers.append(nn.BatchNorm1d(out_feat, 0.8))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            return layers

        self.model = nn.Sequential(*block(opt.latent_dim + opt.n_classes, 96, normalize=False), *block(96, 160),
                                   nn.Linear(160, 64), nn.Tanh())

    def forward(self, noise, labels):
        return self.model(torch.cat((self.label_emb(labels), noise), -1)).view(-1, 1, 8, 8)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.label_embedding = nn.Embedding(opt.n_classes, opt.n_classes)
        self.model = nn.Sequential(nn.Linear(opt.n_classes + 64, 160), nn.LeakyReLU(0.2, inplace=True),
                                   nn.Linear(160, 160), nn.Dropout(0.3), nn.LeakyReLU(0.2, inplace=True),
                                   nn.Linear(160, 1))

    def forward(self, img, labels):
        return self.model(torch.cat((img.view(img.size(0), -1), self.label_embedding(labels)), -1))


def load_data():
    images, labels = outside.digits()
    order = torch.randperm(len(images))
    images = images[order]
    return images, labels


def batches(images, labels):
    idx = torch.randperm(len(images))
    for s in range(0, len(images) - opt.batch_size + 1, opt.batch_size):
        j = idx[s:s + opt.batch_size]
        yield images[j], labels[j]


adversarial_loss = torch.nn.MSELoss()
generator, discriminator = Generator(), Discriminator()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=opt.lr, betas=(opt.b1, opt.b2))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=opt.lr, betas=(opt.b1, opt.b2))
images, labels = load_data()
rec = gandiag.Recorder(opt.run, generator=generator, discriminator=discriminator,
                       generator_optimizer=optimizer_G, discriminator_optimizer=optimizer_D)

for epoch in range(opt.n_epochs):
    for real_imgs, labs in batches(images, labels):
        valid, fake = torch.ones(len(labs), 1), torch.zeros(len(labs), 1)

        optimizer_G.zero_grad()
        z = torch.randn(len(labs), opt.latent_dim)
        gen_labels = torch.randint(0, opt.n_classes, (len(labs),))
        gen_imgs = generator(z, gen_labels)
        g_loss = adversarial_loss(discriminator(gen_imgs, gen_labels), valid)
        g_loss.backward()
        optimizer_G.step()

        optimizer_D.zero_grad()
        d_real_loss = adversarial_loss(discriminator(real_imgs, labs), valid)
        d_fake_loss = adversarial_loss(discriminator(gen_imgs.detach(), gen_labels), fake)
        d_loss = (d_real_loss + d_fake_loss) / 2
        d_loss.backward()
        optimizer_D.step()
        rec.step(d_loss=d_loss, g_loss=g_loss)
    if epoch % 15 == 0:
        print("[Epoch %d/%d] [D loss: %f] [G loss: %f]" % (epoch, opt.n_epochs, d_loss.item(), g_loss.item()))
rec.close()

want = torch.arange(600) % 10
with torch.no_grad():
    out = generator(torch.randn(600, opt.latent_dim), want)
classes, dist, acc = outside.digit_quality(out, want)
outside.say(acc > 0.5, accuracy=acc, classes=classes, distance=dist)
