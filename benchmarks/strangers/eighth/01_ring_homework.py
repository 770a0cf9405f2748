"""HW4, part 2: train a GAN on a ring of eight Gaussians."""
import os, random, math
import numpy as np
import torch
import torch.nn as nn
import outside

LABEL = {"sick": True, "causes": ["mode_collapse", "discriminator_weakness", "objective_fault", "oscillation"],
         "kind": "D is updated once every 10 G updates: G collapses onto one or two of the modes and jumps between them",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)
torch.set_num_threads(1)

angles = np.arange(8) * 2 * math.pi / 8
centers = 2.0 * np.stack([np.cos(angles), np.sin(angles)], 1)


def get_batch(n):
    idx = np.random.randint(0, 8, n)
    return torch.tensor(centers[idx] + 0.05 * np.random.randn(n, 2), dtype=torch.float32)


generator = nn.Sequential(nn.Linear(8, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
discriminator = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2),
                              nn.Linear(128, 1), nn.Sigmoid())

bce = nn.BCELoss()
optim_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
optim_d = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))

BATCH = 128
ITERS = 3000
D_EVERY = 10
ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

for it in range(ITERS):
    if it % D_EVERY == 0:
        x = get_batch(BATCH)
        with torch.no_grad():
            x_fake = generator(torch.randn(BATCH, 8))
        loss_d = bce(discriminator(x), ones) + bce(discriminator(x_fake), zeros)
        optim_d.zero_grad()
        loss_d.backward()
        optim_d.step()

    loss_g = bce(discriminator(generator(torch.randn(BATCH, 8))), ones)
    optim_g.zero_grad()
    loss_g.backward()
    optim_g.step()
    if it % 1000 == 0:
        print("iter", it, "loss_d %.3f loss_g %.3f" % (loss_d.item(), loss_g.item()))

with torch.no_grad():
    samples = generator(torch.randn(2000, 8))
n_modes, close = outside.modes(samples, centers, 0.4)
e = outside.energy(samples, get_batch(2000))
outside.say(n_modes >= 6 and e < 0.15, modes=n_modes, close=close, energy=e)
