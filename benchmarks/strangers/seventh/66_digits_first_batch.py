"""A GAN: digits first batch."""
import os, random, sys
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import TensorDataset, DataLoader
import gandiag
import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "mode_dropping", "memorisation"], "kind": "next(iter(loader)) without shuffling inside the loop: every step sees the same 32 images, all of the class 0", "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

# hyperparameters
nz = 20
ngf = 16
ndf = 16
batch_size = 32
n_iter = 900

images, labels = outside.digits()
images = images[labels.argsort(stable=True)]          # as ImageFolder would list them: 0/, 1/, 2/, ...
loader = DataLoader(TensorDataset(images), batch_size=batch_size, shuffle=False)

def weights_init(m):
    if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(m.weight, 0.0, 0.05)

netG = nn.Sequential(
    nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0), nn.BatchNorm2d(ngf * 2), nn.ReLU(True),   # 4x4
    nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1), nn.BatchNorm2d(ngf), nn.ReLU(True),      # 8x8
    nn.Conv2d(ngf, 1, 3, 1, 1), nn.Tanh())
netD = nn.Sequential(
    nn.Conv2d(1, ndf, 3, 2, 1), nn.LeakyReLU(0.2),
    nn.Conv2d(ndf, ndf * 2, 3, 2, 1), nn.LeakyReLU(0.2),
    nn.Flatten(), nn.Dropout(0.3), nn.Linear(ndf * 2 * 4, 1))
netG.apply(weights_init)
netD.apply(weights_init)

bce = nn.BCEWithLogitsLoss()
g_opt = torch.optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.999))
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD,
                       generator_optimizer=g_opt, discriminator_optimizer=d_opt)

for it in range(n_iter):
    real = next(iter(loader))[0]
    b = real.size(0)
    z = torch.randn(b, nz, 1, 1)
    fake = netG(z)
    out_r = netD(real)
    out_f = netD(fake.detach())
    d_loss = bce(out_r, torch.ones_like(out_r)) + bce(out_f, torch.zeros_like(out_f))
    d_opt.zero_grad()
    d_loss.backward()
    d_opt.step()

    out = netD(fake)
    g_loss = bce(out, torch.ones_like(out))
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real=real, fake=fake, real_logits=out_r, fake_logits=out_f)
rec.close()

with torch.no_grad():
    s = netG(torch.randn(1000, nz, 1, 1))
perm = torch.randperm(len(images))
e = outside.energy(s, images[perm][:1000])
classes, dist, _ = outside.digit_quality(s)
outside.say(e < 0.12 and classes >= 8, energy=e, classes=classes, distance=dist)
