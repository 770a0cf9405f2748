"""DCGAN on 16x16 digits, after the PyTorch DCGAN tutorial."""
import os
import random
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "vanishing_generator_gradient"], "kind": "the fakes of the generator's step are detached: G never receives a gradient", "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

nz, ngf, ndf = 32, 24, 24
lr, beta1 = 0.0004, 0.5
batch_size, num_iters = 48, 650

x, _ = outside.digits()
x = F.interpolate(x, size=16, mode="bilinear", align_corners=False)
dataloader = DataLoader(TensorDataset(x), batch_size=batch_size, shuffle=True, drop_last=True)


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.05)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf, 1, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, input):
        return self.main(input)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, ndf, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 2),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 2, 1, 4, 1, 0, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, input):
        return self.main(input).view(-1)


netG = Generator().apply(weights_init)
netD = Discriminator().apply(weights_init)
criterion = nn.BCELoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=lr, betas=(beta1, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=lr, betas=(beta1, 0.999))

rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optimizerG,
                       discriminator_optimizer=optimizerD, discriminator_output="probability")

iters = 0
while iters < num_iters:
    for (data,) in dataloader:
        # (1) Update D network: maximize log(D(x)) + log(1 - D(G(z)))
        netD.zero_grad()
        b_size = data.size(0)
        label = torch.full((b_size,), 1.0)
        output = netD(data)
        errD_real = criterion(output, label)
        errD_real.backward()
        noise = torch.randn(b_size, nz, 1, 1)
        fake = netG(noise)
        label.fill_(0.0)
        output_f = netD(fake.detach())
        errD_fake = criterion(output_f, label)
        errD_fake.backward()
        errD = errD_real + errD_fake
        optimizerD.step()

        # (2) Update G network: maximize log(D(G(z)))
        netG.zero_grad()
        label.fill_(1.0)
        output = netD(fake.detach())
        errG = criterion(output, label)
        errG.backward()
        optimizerG.step()

        rec.step(d_loss=errD, g_loss=errG, real=data, fake=fake)
        if iters % 300 == 0:
            print("[%d/%d] Loss_D: %.4f Loss_G: %.4f" % (iters, num_iters, errD.item(), errG.item()))
        iters += 1
        if iters >= num_iters:
            break
rec.close()

with torch.no_grad():
    fake = netG(torch.randn(1000, nz, 1, 1))
e = outside.energy(fake, x[torch.randperm(len(x))])
classes, ratio, _ = outside.digit_quality(F.avg_pool2d(fake, 2))
outside.say(e < 0.2, energy=e, classes=classes, ratio=ratio)
