"""WGAN-GP on striped textures. Adapted from caogang/wgan-gp."""
import os, sys, random
import numpy as np
import torch
from torch import nn, autograd, optim
import gandiag, outside

LABEL = {"sick": True, "causes": ["objective_fault", "divergence"], "kind": "gradient penalty computed with create_graph=False: it carries no gradient, the critic is unbounded", "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

DIM = 16
CRITIC_ITERS = 2
BATCH_SIZE = 32
ITERS = 400
LAMBDA = 10
SIZE = 16


def inf_train_gen():
    i, j = torch.meshgrid(torch.arange(SIZE).float(), torch.arange(SIZE).float(), indexing="ij")
    while True:
        ang = torch.randint(0, 4, (BATCH_SIZE, 1, 1)) * (np.pi / 4)
        phase = torch.rand(BATCH_SIZE, 1, 1) * 2 * np.pi
        wave = torch.sin((i * torch.cos(ang) + j * torch.sin(ang)) * (2 * np.pi / 8) + phase)
        yield (0.9 * wave + 0.05 * torch.randn(BATCH_SIZE, SIZE, SIZE)).clamp(-1, 1).unsqueeze(1)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.preprocess = nn.Sequential(nn.Linear(32, 4 * 4 * 2 * DIM), nn.ReLU(True))
        self.block1 = nn.Sequential(nn.ConvTranspose2d(2 * DIM, 2 * DIM, 4, 2, 1), nn.ReLU(True))
        self.block2 = nn.Sequential(nn.ConvTranspose2d(2 * DIM, DIM, 4, 2, 1), nn.ReLU(True))
        self.out = nn.Conv2d(DIM, 1, 5, 1, 2)

    def forward(self, input):
        output = self.preprocess(input).view(-1, 2 * DIM, 4, 4)
        return torch.tanh(self.out(self.block2(self.block1(output))))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Conv2d(1, DIM, 5, 2, 2), nn.LeakyReLU(0.2),
                                  nn.Conv2d(DIM, 2 * DIM, 5, 2, 2), nn.LeakyReLU(0.2), nn.Flatten())
        self.output = nn.Linear(4 * 4 * 2 * DIM, 1)

    def forward(self, x):
        return self.output(self.main(x)).view(-1)


def calc_gradient_penalty(netD, real_data, fake_data):
    alpha = torch.rand(real_data.size(0), 1, 1, 1)
    interpolates = (alpha * real_data + (1 - alpha) * fake_data).requires_grad_(True)
    disc_interpolates = netD(interpolates)
    gradients = autograd.grad(outputs=disc_interpolates, inputs=interpolates,
                              grad_outputs=torch.ones_like(disc_interpolates), create_graph=False)[0]
    gradients = gradients.reshape(gradients.size(0), -1)
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean() * LAMBDA


netG, netD = Generator(), Discriminator()
optimizerD = optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.9))
optimizerG = optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optimizerG,
                       discriminator_optimizer=optimizerD, automatic=True)
data = inf_train_gen()
for iteration in range(ITERS):
    for p in netD.parameters():
        p.requires_grad = True
    for _ in range(CRITIC_ITERS):
        real = next(data)
        netD.zero_grad()
        with torch.no_grad():
            fake = netG(torch.randn(BATCH_SIZE, 32))
        D_cost = netD(fake).mean() - netD(real).mean() + calc_gradient_penalty(netD, real, fake)
        D_cost.backward()
        optimizerD.step()
    for p in netD.parameters():
        p.requires_grad = False
    netG.zero_grad()
    G_cost = -netD(netG(torch.randn(BATCH_SIZE, 32))).mean()
    G_cost.backward()
    optimizerG.step()
rec.close()

held = torch.cat([next(data) for _ in range(30)])
with torch.no_grad():
    s = netG(torch.randn(len(held), 32))


def purity(t):  # share of the power in the strongest frequency
    f = torch.fft.fft2(t[:, 0]).abs() ** 2
    f[:, 0, 0] = 0
    return (2 * f.flatten(1).max(1).values / f.flatten(1).sum(1)).mean().item()


e = outside.energy(s, held)
outside.say(e < 0.08, energy=e, purity=purity(s), purity_real=purity(held))
