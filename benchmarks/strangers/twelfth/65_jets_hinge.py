"""Fast simulation of jet kinematics (pT, eta, mass) with a hinge GAN, written for the collider group's summer project."""
import os, random, sys
import numpy as np, torch, torch.nn as nn
from torch.nn.utils import spectral_norm
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "discriminator_weakness"], "kind": "hinge signs of real and fake swapped in the discriminator loss, so D and G pull the same way", "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def jets(n):
    pt = torch.distributions.Exponential(1.0).sample((n,)).clamp(max=5)
    eta = torch.randn(n) * 0.9
    mass = 0.6 * torch.sqrt(pt + 0.1) + 0.1 * torch.randn(n)
    x = torch.stack([torch.log(pt + 0.2), eta, mass], 1)
    return x


class HingeLoss:
    """as in the geometric GAN paper"""

    def discriminator(self, real_score, fake_score):
        return torch.relu(1.0 + real_score).mean() + torch.relu(1.0 - fake_score).mean()

    def generator(self, fake_score):
        return -fake_score.mean()


def mlp(i, o, h=128, norm=lambda m: m):
    return nn.Sequential(norm(nn.Linear(i, h)), nn.LeakyReLU(0.2), norm(nn.Linear(h, h)), nn.LeakyReLU(0.2), norm(nn.Linear(h, o)))


generator, discriminator = mlp(8, 3), mlp(3, 1, norm=spectral_norm)
g_optimizer = torch.optim.Adam(generator.parameters(), 3e-4, betas=(0.5, 0.99))
d_optimizer = torch.optim.Adam(discriminator.parameters(), 1e-3, betas=(0.5, 0.99))
hinge = HingeLoss()

for i in range(2400):
    x = jets(256)
    g = generator(torch.randn(256, 8))
    d_loss = hinge.discriminator(discriminator(x), discriminator(g.detach()))
    d_optimizer.zero_grad(); d_loss.backward(); d_optimizer.step()
    g_loss = hinge.generator(discriminator(generator(torch.randn(256, 8))))
    g_optimizer.zero_grad(); g_loss.backward(); g_optimizer.step()
    if i % 400 == 0:
        print(i, d_loss.item(), g_loss.item())

with torch.no_grad():
    s = generator(torch.randn(1000, 8))
e = outside.energy(s, jets(1000))
outside.say(e < 0.03, energy=e)
