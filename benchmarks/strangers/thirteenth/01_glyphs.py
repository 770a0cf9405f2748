"""DCGAN from the tutorial, pointed at my own folder of 8x8 glyph scans instead of CelebA."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance"], "kind": "images already in [-1,1] from the dataset are normalised with (0.5, 0.5) once more, so the reals lie in [-3,1] and a tanh G cannot reach them", "since": 0, "record": "attach"}
import os, random
import numpy as np, torch, torch.nn as nn
from torch.utils.data import Dataset, DataLoader
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

# ---- params (was: CelebA 64) ----
image_size, nc, nz, ngf, ndf = 8, 1, 32, 32, 24
lr, beta1, batch_size, num_epochs = 4e-4, 0.5, 64, 60


class Normalize:
    def __init__(self, mean, std):
        self.mean, self.std = mean, std

    def __call__(self, x):
        return (x - self.mean) / self.std


class Glyphs(Dataset):
    def __init__(self, transform=None):
        self.x, _ = outside.digits()
        self.transform = transform

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        x = self.x[i]
        return self.transform(x) if self.transform else x


dataset = Glyphs(transform=Normalize(0.5, 0.5))
dataloader = DataLoader(dataset, batch_size=batch_size, shuffle=True, drop_last=True)


def weights_init(m):
    name = m.__class__.__name__
    if name.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.05)
    elif name.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 2, 2, 1, 0, bias=False), nn.BatchNorm2d(ngf * 2), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf), nn.ReLU(True),
            nn.ConvTranspose2d(ngf, nc, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        return self.main(z)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(nc, ndf, 4, 2, 1), nn.LeakyReLU(0.2, True), nn.Dropout(0.2),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1), nn.LeakyReLU(0.2, True), nn.Dropout(0.2),
            nn.Conv2d(ndf * 2, 1, 2, 1, 0), nn.Sigmoid())

    def forward(self, x):
        return self.main(x).view(-1)


netG = Generator(); netG.apply(weights_init)
netD = Discriminator(); netD.apply(weights_init)
criterion = nn.BCELoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=lr, betas=(beta1, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=lr, betas=(beta1, 0.999))

iters = 0
for epoch in range(num_epochs):
    for i, data in enumerate(dataloader):
        b = data.size(0)
        netD.zero_grad()
        errD_real = criterion(netD(data), torch.full((b,), 0.9))
        errD_real.backward()
        fake = netG(torch.randn(b, nz, 1, 1))
        errD_fake = criterion(netD(fake.detach()), torch.zeros(b))
        errD_fake.backward()
        errD = errD_real + errD_fake
        optimizerD.step()

        netG.zero_grad()
        errG = criterion(netD(fake), torch.ones(b))
        errG.backward()
        optimizerG.step()
        iters += 1
    if epoch % 15 == 0:
        print(f"[{epoch}/{num_epochs}] Loss_D: {errD.item():.4f} Loss_G: {errG.item():.4f}")

with torch.no_grad():
    img = netG(torch.randn(1000, nz, 1, 1))
k, ratio, _ = outside.digit_quality(img)
e = outside.energy(img, outside.digits()[0][torch.randperm(1797)])
outside.say(k >= 8 and ratio < 1.6 and e < 0.1, classes=k, ratio=ratio, energy=e)
