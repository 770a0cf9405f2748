"""DCGAN on little drawn shapes (12x12), following the PyTorch DCGAN tutorial."""
import os
import random
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim

import gandiag
import outside

LABEL = {"sick": True, "causes": ["discriminator_dominance", "learning_rate", "vanishing_generator_gradient"],
         "kind": "discriminator optimizer far faster than the generator's (2e-3 against 2e-5): D wins at once",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

nz, ngf, ndf, nc = 24, 12, 12, 1
batch_size = 48
iterations = 600
lr_d = 0.002
lr_g = 0.00002
beta1 = 0.5


def draw(n):
    yy, xx = np.mgrid[0:12, 0:12]
    out = np.empty((n, 1, 12, 12), "float32")
    for k in range(n):
        cx, cy = np.random.uniform(4.5, 6.5, 2)
        r = np.random.uniform(2.5, 4.0)
        kind = np.random.randint(3)
        if kind == 0:
            d = np.sqrt((xx - cx) ** 2 + (yy - cy) ** 2) - r
        elif kind == 1:
            d = np.maximum(abs(xx - cx), abs(yy - cy)) - r * 0.85
        else:
            d = np.minimum(np.maximum(abs(xx - cx) - 1, abs(yy - cy) - r), np.maximum(abs(yy - cy) - 1, abs(xx - cx) - r))
        out[k, 0] = np.clip(0.5 - d, 0, 1) * 2 - 1
    return torch.from_numpy(out)


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
            nn.ConvTranspose2d(nz, ngf * 4, 3, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 4),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, nc, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, input):
        return self.main(input)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(nc, ndf, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 2),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 2, 1, 3, 1, 0, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, input):
        return self.main(input).view(-1)


dataset = draw(2500)
netG, netD = Generator(), Discriminator()
netG.apply(weights_init)
netD.apply(weights_init)
criterion = nn.BCELoss()
real_label, fake_label = 1.0, 0.0
optimizerD = optim.Adam(netD.parameters(), lr=lr_d, betas=(beta1, 0.999))
optimizerG = optim.Adam(netG.parameters(), lr=lr_g, betas=(beta1, 0.999))

rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optimizerG,
                       discriminator_optimizer=optimizerD, automatic=True, discriminator_output="probability")
for i in range(iterations):
    # (1) Update D network: maximize log(D(x)) + log(1 - D(G(z)))
    netD.zero_grad()
    real = dataset[torch.randint(0, len(dataset), (batch_size,))]
    label = torch.full((batch_size,), real_label)
    output = netD(real)
    errD_real = criterion(output, label)
    errD_real.backward()
    D_x = output.mean().item()
    noise = torch.randn(batch_size, nz, 1, 1)
    fake = netG(noise)
    label.fill_(fake_label)
    output = netD(fake.detach())
    errD_fake = criterion(output, label)
    errD_fake.backward()
    D_G_z1 = output.mean().item()
    errD = errD_real + errD_fake
    optimizerD.step()

    # (2) Update G network: maximize log(D(G(z)))
    netG.zero_grad()
    label.fill_(real_label)
    output = netD(fake)
    errG = criterion(output, label)
    errG.backward()
    D_G_z2 = output.mean().item()
    optimizerG.step()
    if i % 200 == 0:
        print("[%d/%d]\tLoss_D: %.4f\tLoss_G: %.4f\tD(x): %.4f\tD(G(z)): %.4f / %.4f"
              % (i, iterations, errD.item(), errG.item(), D_x, D_G_z1, D_G_z2))
rec.close()

with torch.no_grad():
    sample = netG(torch.randn(800, nz, 1, 1))
e = outside.energy(sample, draw(800))
outside.say(e < 0.06, energy=e)
