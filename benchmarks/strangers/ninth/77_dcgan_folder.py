"""DCGAN on an image folder (class by class, as written by prepare_dataset.py). The folder is simulated: digits, six jittered copies of each."""
import os
import sys
import random
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
import gandiag
import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "oscillation", "mode_dropping"],
         "kind": "folder read in order (no shuffling): a batch holds one class only, G runs after the class being shown and forgets the others",
         "since": 0, "record": "lines"}

manualSeed = int(os.environ.get("SEED", "0"))
random.seed(manualSeed); np.random.seed(manualSeed); torch.manual_seed(manualSeed)
torch.set_num_threads(1)


def prepare_dataset(copies=6):
    x, y = outside.digits()
    order = torch.argsort(y, stable=True)
    x, y = x[order], y[order]
    x = x.repeat_interleave(copies, 0)
    return TensorDataset((x + .05 * torch.randn_like(x)).clamp(-1, 1), y.repeat_interleave(copies))


workers, batch_size, nz, ngf, ndf, num_epochs, lr, beta1 = 0, 32, 24, 16, 16, 2, 1e-3, .5
dataloader = DataLoader(prepare_dataset(), batch_size=batch_size, shuffle=False, num_workers=workers, drop_last=True)


def weights_init(m):
    n = m.__class__.__name__
    if n.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0., .1)
    elif n.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1., .02)
        nn.init.constant_(m.bias.data, 0)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 4, 2, 1, 0, bias=False), nn.BatchNorm2d(ngf * 4), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf * 2), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, 1, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, input):
        return self.main(input)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, ndf, 3, 1, 1), nn.LeakyReLU(.2, True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1), nn.LeakyReLU(.2, True),
            nn.Conv2d(ndf * 2, ndf * 4, 4, 2, 1), nn.LeakyReLU(.2, True),
            nn.Conv2d(ndf * 4, 1, 2), nn.Sigmoid())

    def forward(self, input):
        return self.main(input).view(-1)


netG, netD = Generator().apply(weights_init), Discriminator().apply(weights_init)
criterion = nn.BCELoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=lr, betas=(beta1, .999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=lr, betas=(beta1, .999))
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optimizerG, discriminator_optimizer=optimizerD, discriminator_output="probability")
for epoch in range(num_epochs):
    for i, (data, _) in enumerate(dataloader):
        netD.zero_grad()
        output = netD(data)
        errD_real = criterion(output, torch.ones(batch_size))
        errD_real.backward()
        fake = netG(torch.randn(batch_size, nz, 1, 1))
        output_fake = netD(fake.detach())
        errD_fake = criterion(output_fake, torch.zeros(batch_size))
        errD_fake.backward()
        optimizerD.step()
        netG.zero_grad()
        errG = criterion(netD(fake), torch.ones(batch_size))
        errG.backward()
        optimizerG.step()
        rec.step(d_loss=errD_real + errD_fake, g_loss=errG, real=data, fake=fake)
    print("[%d/%d] Loss_D %.3f Loss_G %.3f" % (epoch, num_epochs, errD_real + errD_fake, errG))
rec.close()

with torch.no_grad():
    s = netG(torch.randn(1000, nz, 1, 1))
x, _ = outside.digits()
e = outside.energy(s, x[torch.randperm(len(x))])
classes, dist, _ = outside.digit_quality(s)
outside.say(classes >= 7 and e < .2, classes=classes, energy=e, dist=dist)
