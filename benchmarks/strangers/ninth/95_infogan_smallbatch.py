"""Infogan smallbatch."""
# InfoGAN: categorical code + noise, digits. Gradient accumulation over 4 micro-batches of 16 (the lab's GPU was small).
import os
import sys
import random
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "micro-batches of 16 with gradients accumulated over four, Q head sharing D's trunk, RMSprop, one-sided smoothing: noisy losses, good samples", "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

N_CAT, N_Z, MICRO, ACC, UPDATES = 10, 20, 16, 4, 600

netG = nn.Sequential(
    nn.Linear(N_CAT + N_Z, 128), nn.LayerNorm(128), nn.ReLU(),
    nn.Linear(128, 192), nn.LayerNorm(192), nn.ReLU(),
    nn.Linear(192, 64), nn.Tanh())


class Trunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(64, 192), nn.LeakyReLU(.1), nn.Linear(192, 128), nn.LeakyReLU(.1))
        self.d = nn.Linear(128, 1)

    def forward(self, x):
        return self.d(self.shared(x))


netD = Trunk()
netQ = nn.Sequential(nn.Linear(128, 64), nn.LeakyReLU(.1), nn.Linear(64, N_CAT))
optG = torch.optim.RMSprop([*netG.parameters(), *netQ.parameters()], lr=3e-4, alpha=.95)
optD = torch.optim.RMSprop(netD.parameters(), lr=2e-4, alpha=.95)


def latent(n):
    k = torch.randint(N_CAT, (n,))
    return torch.cat([F.one_hot(k, N_CAT).float(), torch.randn(n, N_Z)], 1), k


x = outside.digits()[0].flatten(1)
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG, discriminator_optimizer=optD, automatic=True)
for update in range(UPDATES):
    optD.zero_grad()
    for _ in range(ACC):
        real = x[torch.randint(len(x), (MICRO,))]
        z, _k = latent(MICRO)
        r, f = netD(real), netD(netG(z).detach())
        loss = F.binary_cross_entropy_with_logits(r, torch.full_like(r, .9)) + F.binary_cross_entropy_with_logits(f, torch.zeros_like(f))
        (loss / ACC).backward()
    optD.step()

    optG.zero_grad()
    for _ in range(ACC):
        z, k = latent(MICRO)
        fake = netG(z)
        h = netD.shared(fake)
        s = netD.d(h)
        loss = F.binary_cross_entropy_with_logits(s, torch.ones_like(s)) + .3 * F.cross_entropy(netQ(h), k)
        (loss / ACC).backward()
    optG.step()
rec.close()

with torch.no_grad():
    s = netG(latent(1000)[0])
e = outside.energy(s, x[torch.randperm(len(x))])
classes, dist, _ = outside.digit_quality(s)
outside.say(e < .08 and classes >= 8 and dist < 1.8, energy=e, classes=classes, dist=dist)
