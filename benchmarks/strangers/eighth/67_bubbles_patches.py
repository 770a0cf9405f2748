"""A GAN: bubbles patches."""
import os
import random
import numpy as np
import torch
import torch.nn as nn
import outside

LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance", "objective_fault"],
         "kind": "minimax (saturating) generator loss against a discriminator that was trained ahead: no gradient is left for G",
         "since": 0, "record": "attach"}

EPS = 1e-12
LATENT_DIM = 20
IMG = 12
seed = int(os.environ.get("SEED", "0"))
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)
torch.set_num_threads(1)


def bubble_patches(count):
    """grey patches of a boiling-flow camera: one bright ring per patch"""
    yy, xx = torch.meshgrid(torch.arange(IMG), torch.arange(IMG), indexing="ij")
    cy, cx = 4 + 3 * torch.rand(2, count, 1, 1)
    radius = 2 + 1.5 * torch.rand(count, 1, 1)
    dist = ((yy - cy) ** 2 + (xx - cx) ** 2).sqrt()
    img = 2 * torch.exp(-((dist - radius) ** 2) / 1.2) - 1
    return (img + 0.03 * torch.randn(count, IMG, IMG)).clamp(-1, 1).unsqueeze(1)


class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()
        self.project = nn.Linear(LATENT_DIM, 32 * 3 * 3)
        self.main = nn.Sequential(
            nn.BatchNorm2d(32), nn.ReLU(True),
            nn.ConvTranspose2d(32, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(True),
            nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        return self.main(self.project(z).view(-1, 32, 3, 3))


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, 24, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(24, 48, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True),
            nn.Flatten(), nn.Linear(48 * 9, 1), nn.Sigmoid())

    def forward(self, x):
        return self.main(x)


dataset = bubble_patches(4000)
generator, discriminator = Generator(), Discriminator()
optimizer_G = torch.optim.SGD(generator.parameters(), lr=0.02, momentum=0.5)
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))

# give the discriminator a head start, then alternate
for iteration in range(-1, 600):
    for _ in range(400 if iteration < 0 else 2):
        real = dataset[torch.randint(len(dataset), (32,))]
        fake = generator(torch.randn(32, LATENT_DIM)).detach()
        loss_D = -(torch.log(discriminator(real) + EPS) + torch.log(1.0 - discriminator(fake) + EPS)).mean()
        optimizer_D.zero_grad()
        loss_D.backward()
        optimizer_D.step()
    if iteration < 0:
        continue

    fake = generator(torch.randn(32, LATENT_DIM))
    loss_G = torch.log(1.0 - discriminator(fake) + EPS).mean()
    optimizer_G.zero_grad()
    loss_G.backward()
    optimizer_G.step()

    if iteration % 200 == 0:
        print("iter %d  loss_D %.4f  loss_G %.4f" % (iteration, loss_D.item(), loss_G.item()))

with torch.no_grad():
    made = generator(torch.randn(1000, LATENT_DIM))
e = outside.energy(made, bubble_patches(1000))
outside.say(e < 0.09, energy=e)
