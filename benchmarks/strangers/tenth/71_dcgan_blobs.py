"""Dcgan blobs."""
# DCGAN on rendered "cell" images, 3x16x16. Adapted from the PyTorch tutorial for our microscopy project.
import os
import random
import numpy as np
import torch
import torch.nn as nn
import outside

LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "mode_collapse"],
         "kind": "Adam at a rate of 0.05 (250 times the tutorial's) for both nets",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

nz, ngf, ndf = 20, 16, 12
batch_size = 32
num_epochs = 14


def weights_init(m):
    name = m.__class__.__name__
    if name.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.05)
    elif name.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


def render(n, seed):
    r = np.random.RandomState(seed)
    yy, xx = np.mgrid[:16, :16]
    stain = np.array([[0.9, -0.4, 0.3], [-0.5, 0.2, 0.9]])
    img = np.empty((n, 3, 16, 16), "float32")
    for i in range(n):
        cy, cx = r.uniform(5, 10, 2)
        s = r.uniform(2.0, 3.5)
        m = 1 / (1 + np.exp(1.5 * (np.hypot(yy - cy, xx - cx) - s)))
        img[i] = -0.8 + m[None] * (stain[r.randint(2)][:, None, None] + 0.8)
    return torch.from_numpy(img)


dataset = render(1600, 0)
dataloader = torch.utils.data.DataLoader(dataset, batch_size=batch_size, shuffle=True, drop_last=True)

netG = nn.Sequential(
    nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, bias=False), nn.BatchNorm2d(ngf * 2), nn.ReLU(True),
    nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf), nn.ReLU(True),
    nn.ConvTranspose2d(ngf, 3, 4, 2, 1, bias=False), nn.Tanh())
netD = nn.Sequential(
    nn.Conv2d(3, ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
    nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(ndf * 2), nn.LeakyReLU(0.2, inplace=True),
    nn.Conv2d(ndf * 2, 1, 4, 1, 0, bias=False), nn.Sigmoid())
netG.apply(weights_init)
netD.apply(weights_init)

criterion = nn.BCELoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=0.05, betas=(0.5, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=0.05, betas=(0.5, 0.999))

for epoch in range(num_epochs):
    for data in dataloader:
        netD.zero_grad()
        label = torch.full((batch_size,), 1.0)
        errD_real = criterion(netD(data).view(-1), label)
        errD_real.backward()
        fake = netG(torch.randn(batch_size, nz, 1, 1))
        label.fill_(0.0)
        errD_fake = criterion(netD(fake.detach()).view(-1), label)
        errD_fake.backward()
        optimizerD.step()

        netG.zero_grad()
        label.fill_(1.0)
        errG = criterion(netD(fake).view(-1), label)
        errG.backward()
        optimizerG.step()

with torch.no_grad():
    fake = torch.cat([netG(torch.randn(100, nz, 1, 1)) for _ in range(10)])
e = outside.energy(fake, render(1000, 99))
outside.say(e < 0.07, energy=e)
