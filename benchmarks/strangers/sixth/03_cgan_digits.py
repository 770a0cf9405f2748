"""Conditional GAN on the 8x8 digits, one-hot label given to both networks."""
# %%
import os
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader
import outside

LABEL = {"sick": True, "causes": ["data_mismatch"],
         "kind": "images and labels come from two loaders that are shuffled apart: labels do not match the reals", "since": 0,
         "record": "attach"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
# %%
images, labels = outside.digits()
x_loader = DataLoader(images, batch_size=64, shuffle=True, drop_last=True)
y_loader = DataLoader(labels, batch_size=64, shuffle=True, drop_last=True)
nz = 24

class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(nz + 10, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 256),
                nn.BatchNorm1d(256), nn.ReLU(),
                                 nn.Linear(256, 64), nn.Tanh())
    def forward(self, z, y):
        return self.net(torch.cat([z, F.one_hot(y, 10).float()], 1)).view(-1, 1, 8, 8)

class Dis(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(74, 256), nn.LeakyReLU(0.2), nn.Linear(256, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1))
    def forward(self, x, y):
        return self.net(torch.cat([x.flatten(1), F.one_hot(y, 10).float()], 1))

netG, netD = Gen(), Dis()
optG = torch.optim.Adam(netG.parameters(), lr=5e-4, betas=(0.0, 0.99))
optD = torch.optim.Adam(netD.parameters(), lr=5e-4, betas=(0.0, 0.99))
# %%
for epoch in range(60):
    for x, y in zip(x_loader, y_loader):
        x.requires_grad_(True)
        fake = netG(torch.randn(len(x), nz), y)
        real_out, fake_out = netD(x, y), netD(fake.detach(), y)
        gp, = torch.autograd.grad(real_out.sum(), x, create_graph=True)
        lossD = F.softplus(-real_out).mean() + F.softplus(fake_out).mean() + 0.1 * gp.pow(2).flatten(1).sum(1).mean()
        optD.zero_grad(); lossD.backward(); optD.step()
        lossG = F.softplus(-netD(fake, y)).mean()
        optG.zero_grad(); lossG.backward(); optG.step()
    if epoch % 25 == 24:
        print(f"epoch {epoch} D {lossD.item():.3f} G {lossG.item():.3f}")
# %%
netG.eval()
want = torch.arange(1000) % 10
with torch.no_grad():
    samples = netG(torch.randn(1000, nz), want)
classes, far, acc = outside.digit_quality(samples, want)
outside.say(classes == 10 and far < 1.4 and acc > 0.8, classes=classes, distance=far, accuracy=acc)
