"""Wgan."""
import os
import random
import torch
import torch.nn as nn
import numpy as np
import outside

# Wasserstein GAN on "two blobs" pictures, 10x10. Reimplementation of Arjovsky et al., Algorithm 1.
LABEL = {"sick": True, "causes": ["objective_fault", "divergence"],
         "kind": "WGAN whose weight clipping isn't in place (clamp instead of clamp_): the critic is unbounded",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

# hyper-parameters of the paper, adapted
alpha = 0.0005
c = 0.05
m = 64
n_critic = 3
gen_iterations = 700
nz = 12


def blobs(n):
    g = np.arange(10.0)
    img = np.zeros((n, 10, 10))
    for _ in range(2):
        cx, cy = np.random.uniform(2, 7, (2, n, 1, 1))
        s = np.random.uniform(1.0, 1.5, (n, 1, 1))
        img = np.maximum(img, np.exp(-((g[None, None] - cx) ** 2 + (g[None, :, None] - cy) ** 2) / (2 * s ** 2)))
    return torch.tensor(img.reshape(n, 100) * 2 - 1, dtype=torch.float32)


def mlp_g():
    return nn.Sequential(
        nn.Linear(nz, 128), nn.ReLU(True),
        nn.Linear(128, 128), nn.ReLU(True),
        nn.Linear(128, 100), nn.Tanh())


def mlp_d():
    return nn.Sequential(
        nn.Linear(100, 128), nn.ReLU(True),
        nn.Linear(128, 64), nn.ReLU(True),
        nn.Linear(64, 1))


X = blobs(4000)
netG, netD = mlp_g(), mlp_d()
optimizerD = torch.optim.RMSprop(netD.parameters(), lr=alpha)
optimizerG = torch.optim.RMSprop(netG.parameters(), lr=alpha)

for gi in range(gen_iterations):
    for p in netD.parameters():
        p.requires_grad = True
    for t in range(n_critic):
        for p in netD.parameters():
            p.data.clamp(-c, c)
        netD.zero_grad()
        real = X[torch.randint(0, len(X), (m,))]
        with torch.no_grad():
            fake = netG(torch.randn(m, nz))
        errD = -(netD(real).mean() - netD(fake).mean())
        errD.backward()
        optimizerD.step()

    for p in netD.parameters():
        p.requires_grad = False
    netG.zero_grad()
    errG = -netD(netG(torch.randn(m, nz))).mean()
    errG.backward()
    optimizerG.step()
    if gi % 200 == 0:
        print("[%d] Loss_D: %f Loss_G: %f" % (gi, errD.item(), errG.item()))

with torch.no_grad():
    e = outside.energy(netG(torch.randn(1000, nz)), blobs(1000))
outside.say(e < 0.15, energy=e)
