"""DCGAN as one file of top-level code: labels in tensors, BCELoss on a sigmoid, two backward passes for the discriminator."""
import json
import sys

import torch
import torch.nn as nn
import torch.optim as optim

torch.manual_seed(999)
nz, ngf, ndf, batch_size = 16, 8, 8, 16
data = torch.tanh(torch.randn(128, 1, 16, 16))
real_label, fake_label = 1.0, 0.0


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, bias=False), nn.BatchNorm2d(ngf * 2), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf), nn.ReLU(True),
            nn.ConvTranspose2d(ngf, 1, 4, 2, 1, bias=False), nn.Tanh(),
        )

    def forward(self, input):
        return self.main(input)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(ndf * 2), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 2, 1, 4, 1, 0, bias=False), nn.Sigmoid(),
        )

    def forward(self, input):
        return self.main(input)


netG = Generator()
netG.apply(weights_init)
netD = Discriminator()
netD.apply(weights_init)
criterion = nn.BCELoss()
fixed_noise = torch.randn(8, nz, 1, 1)
optimizerD = optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
optimizerG = optim.Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}

for i in range(24):
    netD.zero_grad()
    real_cpu = data[(i * batch_size) % 112:][:batch_size]
    b_size = real_cpu.size(0)
    label = torch.full((b_size,), real_label)
    output = netD(real_cpu).view(-1)
    errD_real = criterion(output, label)
    errD_real.backward()
    own["real"].append(torch.logit(output).mean().item())
    noise = torch.randn(b_size, nz, 1, 1)
    fake = netG(noise)
    label.fill_(fake_label)
    output = netD(fake.detach()).view(-1)
    own["fake"].append(torch.logit(output).mean().item())
    errD_fake = criterion(output, label)
    errD_fake.backward()
    D_G_z1 = output.mean().item()
    errD = errD_real + errD_fake
    own["d_norm"].append(torch.cat([p.grad.flatten() for p in netD.parameters()]).norm().item())
    optimizerD.step()
    netG.zero_grad()
    label.fill_(real_label)
    output = netD(fake).view(-1)
    errG = criterion(output, label)
    errG.backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in netG.parameters()]).norm().item())
    optimizerG.step()
    print("[%d/24] Loss_D: %.4f Loss_G: %.4f D(G(z)): %.4f / %.4f" % (i, errD.item(), errG.item(), D_G_z1, output.mean().item()))
    if i % 10 == 0:
        with torch.no_grad():
            sample = netG(fixed_noise).detach()

torch.save({"g": netG.state_dict(), "d": netD.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
