"""Conditional GAN on digits after the eriklindernoren repo, labels given by an embedding."""
LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"], "kind": "images are shuffled but the label array is not, so labels do not belong to the images", "since": 0, "record": "attach"}
import argparse, os, random
import numpy as np
import torch
import torch.nn as nn
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

opt = argparse.Namespace(n_iter=3600, batch_size=96, lr=0.0006, b1=0.5, b2=0.999, latent_dim=24, n_classes=10)

imgs, labels = outside.digits()
imgs = imgs.view(len(imgs), -1)
perm = torch.randperm(len(imgs))
imgs = imgs[perm]

class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()
        self.label_emb = nn.Embedding(opt.n_classes, opt.n_classes)
        def block(in_feat, out_feat, normalize=True):
            layers = [nn.Linear(in_feat, out_feat)]
            if normalize:
                layers.append(nn.BatchNorm1d(out_feat, 0.8))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            return layers
        self.model = nn.Sequential(*block(opt.latent_dim + opt.n_classes, 128, normalize=False), *block(128, 192), nn.Linear(192, 64), nn.Tanh())
    def forward(self, noise, labels):
        return self.model(torch.cat((self.label_emb(labels), noise), -1))

class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.label_embedding = nn.Embedding(opt.n_classes, opt.n_classes)
        self.model = nn.Sequential(nn.Linear(opt.n_classes + 64, 192), nn.LeakyReLU(0.2, inplace=True), nn.Linear(192, 128), nn.Dropout(0.3), nn.LeakyReLU(0.2, inplace=True), nn.Linear(128, 1))
    def forward(self, img, labels):
        return self.model(torch.cat((img, self.label_embedding(labels)), -1))

adversarial_loss = nn.MSELoss()
generator, discriminator = Generator(), Discriminator()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=opt.lr, betas=(opt.b1, opt.b2))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=opt.lr, betas=(opt.b1, opt.b2))

for i in range(opt.n_iter):
    pick = torch.randint(0, len(imgs), (opt.batch_size,))
    real_imgs, real_labels = imgs[pick], labels[pick]
    valid, fake = torch.ones(opt.batch_size, 1), torch.zeros(opt.batch_size, 1)
    optimizer_G.zero_grad()
    z = torch.randn(opt.batch_size, opt.latent_dim)
    gen_labels = torch.randint(0, opt.n_classes, (opt.batch_size,))
    gen_imgs = generator(z, gen_labels)
    g_loss = adversarial_loss(discriminator(gen_imgs, gen_labels), valid)
    g_loss.backward()
    optimizer_G.step()
    optimizer_D.zero_grad()
    d_real_loss = adversarial_loss(discriminator(real_imgs, real_labels), valid)
    d_fake_loss = adversarial_loss(discriminator(gen_imgs.detach(), gen_labels), fake)
    d_loss = (d_real_loss + d_fake_loss) / 2
    d_loss.backward()
    optimizer_D.step()
    if i % 900 == 0:
        print("[Iter %d/%d] [D loss: %f] [G loss: %f]" % (i, opt.n_iter, d_loss.item(), g_loss.item()))

want = torch.arange(1000) % 10
with torch.no_grad():
    out = generator(torch.randn(1000, opt.latent_dim), want)
classes, ratio, acc = outside.digit_quality(out, want)
outside.say(classes >= 9 and ratio < 1.4 and acc > 0.75, classes=classes, ratio=ratio, accuracy=acc)
