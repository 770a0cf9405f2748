"""DCGAN after the well-known PyTorch tutorial, on 12x12 pictures of soft discs and squares."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "discriminator_weakness"], "kind": "copy-paste: optimizerG is given the parameters of netD, so the generator never moves and the discriminator is pulled both ways", "since": 0, "record": "attach"}

import os
import random
import torch
import torch.nn as nn
import torch.optim as optim
import torch.utils.data
import outside

manualSeed = SEED = int(os.environ.get("SEED", "0"))
print("Random Seed: ", manualSeed)
random.seed(manualSeed)
torch.manual_seed(manualSeed)
torch.set_num_threads(1)

# Batch size, latent size, feature maps, epochs, learning rate, beta1
batch_size, nz, ngf, ndf, num_epochs, lr, beta1 = 64, 16, 16, 16, 40, 0.0005, 0.5


class Shapes(torch.utils.data.Dataset):
    """Discs and squares of random place and size."""

    def __init__(self, n):
        g = torch.arange(12.0)
        y, x = torch.meshgrid(g, g, indexing="ij")
        cx, cy = 4 + 3 * torch.rand(2, n, 1, 1)
        size = 1.8 + 1.2 * torch.rand(n, 1, 1)
        disc = ((x - cx) ** 2 + (y - cy) ** 2).sqrt()
        square = torch.maximum((x - cx).abs(), (y - cy).abs())
        kind = (torch.rand(n, 1, 1) < 0.5).float()
        d = kind * disc + (1 - kind) * square
        self.images = torch.tanh(1.5 * (size - d)).unsqueeze(1)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i]


dataset = Shapes(2560)
dataloader = torch.utils.data.DataLoader(dataset, batch_size=batch_size, shuffle=True)


# custom weights initialization called on netG and netD
def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.05)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 4, 3, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 4),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, 1, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, input):
        return self.main(input)


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, ndf, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 2),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 2, 1, 3, 1, 0, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, input):
        return self.main(input)


netG = Generator()
netG.apply(weights_init)
netD = Discriminator()
netD.apply(weights_init)

criterion = nn.BCELoss()
real_label, fake_label = 1.0, 0.0

# Setup Adam optimizers for both G and D
optimizerD = optim.Adam(netD.parameters(), lr=lr, betas=(beta1, 0.999))
optimizerG = optim.Adam(netD.parameters(), lr=lr, betas=(beta1, 0.999))

print("Starting Training Loop...")
for epoch in range(num_epochs):
    for i, data in enumerate(dataloader, 0):
        # (1) Update D network: maximize log(D(x)) + log(1 - D(G(z)))
        netD.zero_grad()
        label = torch.full((data.size(0),), real_label)
        output = netD(data).view(-1)
        errD_real = criterion(output, label)
        errD_real.backward()
        D_x = output.mean().item()

        noise = torch.randn(data.size(0), nz, 1, 1)
        fake = netG(noise)
        label.fill_(fake_label)
        output = netD(fake.detach()).view(-1)
        errD_fake = criterion(output, label)
        errD_fake.backward()
        D_G_z1 = output.mean().item()
        errD = errD_real + errD_fake
        optimizerD.step()

        # (2) Update G network: maximize log(D(G(z)))
        netD.zero_grad()
        netG.zero_grad()
        label.fill_(real_label)
        output = netD(fake).view(-1)
        errG = criterion(output, label)
        errG.backward()
        D_G_z2 = output.mean().item()
        optimizerG.step()

    if epoch % 10 == 0:
        print("[%d/%d] Loss_D: %.4f Loss_G: %.4f D(x): %.4f D(G(z)): %.4f / %.4f"
              % (epoch, num_epochs, errD.item(), errG.item(), D_x, D_G_z1, D_G_z2))

netG.eval()
with torch.no_grad():
    samples = netG(torch.randn(1000, nz, 1, 1))
e = outside.energy(samples, Shapes(1000).images)
outside.say(e < 0.06, energy=e)
