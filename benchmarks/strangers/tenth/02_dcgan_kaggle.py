"""Dcgan kaggle."""
# coding: utf-8
# # Generating handwritten digits with a DCGAN
# (exported from the notebook)
LABEL = {"sick": True, "causes": ["learning_rate", "discriminator_dominance", "divergence", "mode_collapse", "vanishing_generator_gradient"],
         "kind": "Adam at 0.05 for both nets", "since": 0, "record": "attach"}
# In[1]:
import os
import random
import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)
torch.set_num_threads(1)

# In[2]:
images, _ = outside.digits()
loader = DataLoader(TensorDataset(images), batch_size=64, shuffle=True, drop_last=True)
latent_dim = 32
lr = 0.05
epochs = 14

# In[3]:
class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(latent_dim, 64, 2, 1, 0, bias=False), nn.BatchNorm2d(64), nn.ReLU(True),
            nn.ConvTranspose2d(64, 32, 4, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(True),
            nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh())

    def forward(self, x):
        return self.main(x)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(32, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(64, 1, 2, 1, 0), nn.Sigmoid())

    def forward(self, x):
        return self.main(x).view(-1)


def weights_init(m):
    name = m.__class__.__name__
    if name.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif name.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


netG = Generator(); netG.apply(weights_init)
netD = Discriminator(); netD.apply(weights_init)
criterion = nn.BCELoss()
optimizerD = optim.Adam(netD.parameters(), lr=lr, betas=(0.5, 0.999))
optimizerG = optim.Adam(netG.parameters(), lr=lr, betas=(0.5, 0.999))

# In[4]:
for epoch in range(epochs):
    for i, (data,) in enumerate(loader):
        netD.zero_grad()
        label = torch.full((data.size(0),), 1.0)
        errD_real = criterion(netD(data), label)
        errD_real.backward()
        noise = torch.randn(data.size(0), latent_dim, 1, 1)
        fake = netG(noise)
        label.fill_(0.0)
        errD_fake = criterion(netD(fake.detach()), label)
        errD_fake.backward()
        optimizerD.step()

        netG.zero_grad()
        label.fill_(1.0)
        errG = criterion(netD(fake), label)
        errG.backward()
        optimizerG.step()
    if epoch % 4 == 0:
        print("[%d/%d] Loss_D: %.4f Loss_G: %.4f" % (epoch, epochs, (errD_real + errD_fake).item(), errG.item()))

# In[5]:
with torch.no_grad():
    samples = netG(torch.randn(500, latent_dim, 1, 1))
classes, dist, _ = outside.digit_quality(samples)
e = outside.energy(samples, images)
outside.say(classes >= 9 and e < 0.09, classes=classes, distance=dist, energy=e)
