"""Small DCGAN on drawn shapes (16x16), following the pytorch examples/dcgan main.py."""
import argparse, os, random
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset
import outside

LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "mode_collapse", "discriminator_dominance", "vanishing_generator_gradient"],
         "kind": "Adam with lr 0.1 and default betas instead of 2e-4, beta1 0.5 for a DCGAN",
         "since": 0, "record": "attach"}

parser = argparse.ArgumentParser()
parser.add_argument("--batchSize", type=int, default=32)
parser.add_argument("--nz", type=int, default=16)
parser.add_argument("--ngf", type=int, default=12)
parser.add_argument("--ndf", type=int, default=12)
parser.add_argument("--niter", type=int, default=16)
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--beta1", type=float, default=0.9)
opt, _ = parser.parse_known_args()

manualSeed = int(os.environ.get("SEED", "0"))
random.seed(manualSeed)
np.random.seed(manualSeed)
torch.manual_seed(manualSeed)
torch.set_num_threads(1)


def draw(n):
    yy, xx = np.mgrid[0:16, 0:16]
    imgs = np.empty((n, 1, 16, 16), "float32")
    for i in range(n):
        cx, cy = np.random.uniform(6, 10, 2)
        r = np.random.uniform(3, 5)
        dx, dy = np.abs(xx - cx), np.abs(yy - cy)
        kind = i % 3
        dist = np.hypot(dx, dy) if kind == 0 else np.maximum(dx, dy) if kind == 1 else dx + dy
        imgs[i, 0] = np.clip(r - dist + 0.5, 0, 1)
    return torch.tensor(imgs * 2 - 1)


train = draw(2048)
dataloader = DataLoader(TensorDataset(train), batch_size=opt.batchSize, shuffle=True, drop_last=True)


def weights_init(m):
    name = m.__class__.__name__
    if "Conv" in name:
        torch.nn.init.normal_(m.weight, 0.0, 0.02)
    elif "BatchNorm" in name:
        torch.nn.init.normal_(m.weight, 1.0, 0.02)
        torch.nn.init.zeros_(m.bias)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(opt.nz, opt.ngf * 2, 4, 1, 0, bias=False),
            nn.BatchNorm2d(opt.ngf * 2), nn.ReLU(True),
            nn.ConvTranspose2d(opt.ngf * 2, opt.ngf, 4, 2, 1, bias=False),
            nn.BatchNorm2d(opt.ngf), nn.ReLU(True),
            nn.ConvTranspose2d(opt.ngf, 1, 4, 2, 1, bias=False),
            nn.Tanh())

    def forward(self, x):
        return self.main(x)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, opt.ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(opt.ndf, opt.ndf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(opt.ndf * 2), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(opt.ndf * 2, 1, 4, 1, 0, bias=False), nn.Sigmoid())

    def forward(self, x):
        return self.main(x).view(-1)


netG, netD = Generator(), Discriminator()
netG.apply(weights_init)
netD.apply(weights_init)
criterion = nn.BCELoss()
optimizerD = optim.Adam(netD.parameters(), lr=opt.lr, betas=(opt.beta1, 0.999))
optimizerG = optim.Adam(netG.parameters(), lr=opt.lr, betas=(opt.beta1, 0.999))

for epoch in range(opt.niter):
    for i, (real,) in enumerate(dataloader):
        # (1) Update D network: maximize log(D(x)) + log(1 - D(G(z)))
        netD.zero_grad()
        label = torch.full((opt.batchSize,), 1.0)
        errD_real = criterion(netD(real), label)
        errD_real.backward()
        noise = torch.randn(opt.batchSize, opt.nz, 1, 1)
        fake = netG(noise)
        label.fill_(0.0)
        errD_fake = criterion(netD(fake.detach()), label)
        errD_fake.backward()
        optimizerD.step()
        # (2) Update G network: maximize log(D(G(z)))
        netG.zero_grad()
        label.fill_(1.0)
        errG = criterion(netD(fake), label)
        errG.backward()
        optimizerG.step()
    if epoch % 5 == 0:
        print("[%d/%d] Loss_D: %.4f Loss_G: %.4f" % (epoch, opt.niter, (errD_real + errD_fake).item(), errG.item()))

with torch.no_grad():
    fake = netG(torch.randn(1000, opt.nz, 1, 1))
e = outside.energy(fake, draw(1000))
spread = (fake.std(0).mean() / train.std(0).mean()).item()
outside.say(e < 0.05 and spread > 0.5, energy=e, spread=spread)
