"""Blobs on a grid, after a DCGAN tutorial."""
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "the generator's step keeps the label vector filled with the fake label", "since": 0, "record": "attach"}
import os
import torch
import torch.nn as nn
import torch.nn.parallel
import torch.optim as optim
import outside

torch.set_num_threads(1)
manualSeed = int(os.environ.get("SEED", "0"))
torch.manual_seed(manualSeed)

batch_size = 32
image_size = 8
nz = 12
ngf = 16
ndf = 16
num_epochs = 7
lr = 0.0005
beta1 = 0.5


def make_cells(n):
    """Microscope-like: one or two round cells on a dark ground."""
    v = torch.arange(image_size).float()
    img = torch.zeros(n, image_size, image_size)
    for k in range(2):
        cy, cx = 1.5 + 4 * torch.rand(2, n, 1, 1)
        r = 1.0 + 0.8 * torch.rand(n, 1, 1)
        on = torch.ones(n, 1, 1) if k == 0 else (torch.rand(n, 1, 1) < 0.5).float()
        img = torch.maximum(img, on * torch.exp(-((v[:, None] - cy) ** 2 + (v[None] - cx) ** 2) / r ** 2))
    return (img * 2 - 1).unsqueeze(1)


dataset = make_cells(3000)
dataloader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(dataset), batch_size=batch_size, shuffle=True, drop_last=True)


# custom weights initialization called on ``netG`` and ``netD``
def weights_init(m):
    classname = m.__class__.__name__
    if classname.find('Conv') != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.05)
    elif classname.find('BatchNorm') != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 4, 2, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 4),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, 1, 4, 2, 1, bias=False),
            nn.Tanh()
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
            nn.Conv2d(ndf * 2, 1, 2, 1, 0, bias=False),
            nn.Sigmoid()
        )

    def forward(self, input):
        return self.main(input)


netG = Generator()
netG.apply(weights_init)
netD = Discriminator()
netD.apply(weights_init)

criterion = nn.BCELoss()
real_label = 1.
fake_label = 0.
optimizerD = optim.Adam(netD.parameters(), lr=lr, betas=(beta1, 0.999))
optimizerG = optim.Adam(netG.parameters(), lr=lr, betas=(beta1, 0.999))

print("Starting Training Loop...")
for epoch in range(num_epochs):
    for i, data in enumerate(dataloader, 0):
        # (1) Update D network
        netD.zero_grad()
        real_cpu = data[0]
        b_size = real_cpu.size(0)
        label = torch.full((b_size,), real_label, dtype=torch.float)
        output = netD(real_cpu).view(-1)
        errD_real = criterion(output, label)
        errD_real.backward()
        D_x = output.mean().item()
        noise = torch.randn(b_size, nz, 1, 1)
        fake = netG(noise)
        label.fill_(fake_label)
        output = netD(fake.detach()).view(-1)
        errD_fake = criterion(output, label)
        errD_fake.backward()
        errD = errD_real + errD_fake
        optimizerD.step()
        # (2) Update G network
        netG.zero_grad()
        output = netD(fake).view(-1)
        errG = criterion(output, label)
        errG.backward()
        optimizerG.step()
        if i % 50 == 0:
            print('[%d/%d][%d/%d]\tLoss_D: %.4f\tLoss_G: %.4f\tD(x): %.4f' % (epoch, num_epochs, i, len(dataloader), errD.item(), errG.item(), D_x))

with torch.no_grad():
    s = netG(torch.randn(1000, nz, 1, 1))
e = outside.energy(s, make_cells(1000))
outside.say(e < 0.05, energy=e)
