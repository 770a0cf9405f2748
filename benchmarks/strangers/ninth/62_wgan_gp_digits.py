"""Wgan gp digits."""
# "Improved Training of Wasserstein GANs", gan_mnist.py rewritten for a newer PyTorch and 8x8 digits, fully connected nets.
import os, sys, random
import numpy as np, torch
from torch import nn, autograd, optim
import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "divergence"],
         "kind": "gradient penalty is taken with a detached gradient (no create_graph), so that it constrains nothing: the WGAN critic grows without bound",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
for f in (random.seed, np.random.seed, torch.manual_seed):
    f(SEED)
torch.set_num_threads(1)

DIM = 128
LAMBDA = 10
CRITIC_ITERS = 5
BATCH_SIZE = 64
ITERS = 700

class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(16, DIM), nn.ReLU(True), nn.Linear(DIM, DIM), nn.ReLU(True), nn.Linear(DIM, 64), nn.Tanh())
    def forward(self, noise):
        return self.main(noise)

class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(64, DIM), nn.ReLU(True), nn.Linear(DIM, DIM), nn.ReLU(True), nn.Linear(DIM, 1))
    def forward(self, inputs):
        return self.main(inputs).view(-1)

digits = outside.digits()[0].flatten(1)

def inf_train_gen():
    while True:
        perm = torch.randperm(len(digits))
        for i in range(0, len(digits) - BATCH_SIZE + 1, BATCH_SIZE):
            yield digits[perm[i:i + BATCH_SIZE]]

def calc_gradient_penalty(netD, real_data, fake_data):
    alpha = torch.rand(BATCH_SIZE, 1)
    interpolates = (alpha * real_data + (1 - alpha) * fake_data).requires_grad_(True)
    out = netD(interpolates)
    gradients = autograd.grad(out, interpolates, torch.ones_like(out), retain_graph=True)[0]
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean() * LAMBDA

netG, netD = Generator(), Discriminator()
optimizerD = optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.9))
optimizerG = optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.9))
data = inf_train_gen()
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optimizerG,
                       discriminator_optimizer=optimizerD, automatic=True)

for iteration in range(ITERS):
    for p in netD.parameters():
        p.requires_grad = True
    for _ in range(CRITIC_ITERS):
        real = next(data)
        fake = netG(torch.randn(BATCH_SIZE, 16)).detach()
        netD.zero_grad()
        gp = calc_gradient_penalty(netD, real, fake)
        D_cost = netD(fake).mean() - netD(real).mean() + gp
        D_cost.backward()
        optimizerD.step()
    for p in netD.parameters():
        p.requires_grad = False
    netG.zero_grad()
    G_cost = -netD(netG(torch.randn(BATCH_SIZE, 16))).mean()
    G_cost.backward()
    optimizerG.step()
rec.close()

with torch.no_grad():
    samples = netG(torch.randn(1000, 16))
e = outside.energy(samples, digits[torch.randperm(len(digits))])
classes, dist, _ = outside.digit_quality(samples)
outside.say(e < 0.1 and dist < 1.7, energy=e, dist=dist, classes=classes)
