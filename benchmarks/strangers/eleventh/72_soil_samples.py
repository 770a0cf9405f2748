"""Augmenting a soil survey: five correlated minerals per sample, DCGAN-style loop with Adam for both."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault", "stagnation"], "kind": "copy-paste: the discriminator's optimizer holds the generator's parameters, D stays at its initial weights", "since": 0, "record": "attach"}
import os, random
import numpy as np, torch
import torch.nn as nn
import torch.optim as optim
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

# survey
L = torch.tensor(np.tril(np.random.default_rng(3).normal(size=(5, 5))), dtype=torch.float32) * 0.5
base = torch.tensor([2.0, -1.0, 0.5, 1.0, -0.5])
N = 3000
site = torch.randint(0, 2, (N, 1)).float() * 2 - 1
survey = base + torch.randn(N, 5) @ L.T + site * torch.tensor([0.9, 0.9, -0.9, 0.0, 0.9])

nz, bs, lr, beta1 = 8, 64, 0.0005, 0.5
netG = nn.Sequential(nn.Linear(nz, 64), nn.ReLU(True), nn.Linear(64, 64), nn.ReLU(True), nn.Linear(64, 5))
netD = nn.Sequential(nn.Linear(5, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1), nn.Sigmoid())
criterion = nn.BCELoss()
optimizerD = optim.Adam(netG.parameters(), lr=lr, betas=(beta1, 0.999))
optimizerG = optim.Adam(netG.parameters(), lr=lr, betas=(beta1, 0.999))

G_losses, D_losses = [], []
for i in range(3500):
    # (1) update D
    optimizerD.zero_grad()
    real = survey[torch.randint(N, (bs,))]
    label = torch.full((bs,), 1.0)
    out = netD(real).view(-1)
    errD_real = criterion(out, label)
    errD_real.backward()
    fake = netG(torch.randn(bs, nz))
    label.fill_(0.0)
    errD_fake = criterion(netD(fake.detach()).view(-1), label)
    errD_fake.backward()
    errD = errD_real + errD_fake
    optimizerD.step()
    # (2) update G
    optimizerG.zero_grad()
    label.fill_(1.0)
    errG = criterion(netD(fake).view(-1), label)
    errG.backward()
    optimizerG.step()
    G_losses.append(errG.item()); D_losses.append(errD.item())
    if i % 500 == 0:
        print("[%d] Loss_D: %.4f Loss_G: %.4f" % (i, errD.item(), errG.item()))
with torch.no_grad():
    e = outside.energy(netG(torch.randn(1000, nz)), survey[torch.randperm(N)[:1000]])
outside.say(e < 0.04, energy=e)
