"""9 Gaussians, WGAN-GP, in the manner of the 'improved training' toy experiments."""
import os, sys, random
import numpy as np
import torch
from torch import autograd, nn, optim
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "WGAN-GP on a 3x3 grid: tiny penalty weight, critic scores and losses on an arbitrary scale and of either sign", "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

LAMBDA, CRITIC_ITERS, BATCH_SIZE, ITERS, DIM = .1, 3, 96, 1100, 96
GRID = np.array([(x, y) for x in range(-1, 2) for y in range(-1, 2)], dtype="float32")


def inf_train_gen():
    while True:
        pts = GRID[np.random.randint(0, 9, BATCH_SIZE)] + 0.14 * np.random.randn(BATCH_SIZE, 2)
        yield torch.tensor(pts * 1.5, dtype=torch.float32)


class Net(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(i, DIM), nn.ReLU(True), nn.Linear(DIM, DIM), nn.ReLU(True), nn.Linear(DIM, o))

    def forward(self, v):
        return self.main(v)


def calc_gradient_penalty(netD, real, fake):
    alpha = torch.rand(BATCH_SIZE, 1)
    inter = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    grads = autograd.grad(netD(inter), inter, torch.ones(BATCH_SIZE, 1), create_graph=True)[0]
    return LAMBDA * ((grads.norm(2, dim=1) - 1) ** 2).mean()


netG, netD = Net(2, 2), Net(2, 1)
optimizerD = optim.Adam(netD.parameters(), lr=2e-3, betas=(0.0, 0.9))
optimizerG = optim.Adam(netG.parameters(), lr=1e-3, betas=(0.0, 0.9))
data = inf_train_gen()
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optimizerG, discriminator_optimizer=optimizerD)

for iteration in range(ITERS):
    for _ in range(CRITIC_ITERS):
        real = next(data)
        fake = netG(torch.randn(BATCH_SIZE, 2)).detach()
        D_cost = netD(fake).mean() - netD(real).mean() + calc_gradient_penalty(netD, real, fake)
        optimizerD.zero_grad()
        D_cost.backward()
        optimizerD.step()
    G_cost = -netD(netG(torch.randn(BATCH_SIZE, 2))).mean()
    optimizerG.zero_grad()
    G_cost.backward()
    optimizerG.step()
    rec.step(d_loss=D_cost, g_loss=G_cost)
rec.close()

with torch.no_grad():
    s = netG(torch.randn(2500, 2))
n, near = outside.modes(s, GRID * 1.5, 0.6)
e = outside.energy(s, next(data))
outside.say(n == 9 and near > 0.85 and e < 0.04, modes=n, near=near, energy=e)
