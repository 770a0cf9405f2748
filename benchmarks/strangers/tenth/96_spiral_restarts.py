"""Spiral restarts."""
# density modelling demo, least squares objective, warm restarts, two accumulated micro-batches
import os
import random
import sys
import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "cosine warm restarts (jumps in the losses), accumulated micro-batches, LSGAN",
         "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
for seeder in (random.seed, np.random.seed, torch.manual_seed):
    seeder(SEED)
torch.set_num_threads(1)


def spiral(n):
    t = 0.6 + 2.4 * torch.rand(n, 1).sqrt()
    return 0.6 * t * torch.cat([torch.cos(1.3 * t), torch.sin(1.3 * t)], 1) + 0.04 * torch.randn(n, 2)


generator = nn.Sequential(nn.Linear(4, 80), nn.Tanh(), nn.Linear(80, 80), nn.Tanh(), nn.Linear(80, 2))
discriminator = nn.Sequential(nn.Linear(2, 80), nn.ELU(), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1))
optim_g = torch.optim.NAdam(generator.parameters(), lr=1e-3, betas=(0.5, 0.99))
optim_d = torch.optim.NAdam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.99))
sched = [CosineAnnealingWarmRestarts(o, T_0=400, T_mult=1, eta_min=2e-5) for o in (optim_g, optim_d)]
MICRO, ACC = 64, 2
recorder = gandiag.Recorder(sys.argv[1], generator=generator, discriminator=discriminator,
                            generator_optimizer=optim_g, discriminator_optimizer=optim_d)

for step in range(1600):
    optim_d.zero_grad()
    total_d = 0.0
    for _ in range(ACC):
        r, f = spiral(MICRO), generator(torch.randn(MICRO, 4)).detach()
        loss = ((discriminator(r) - 1) ** 2).mean() / ACC + (discriminator(f) ** 2).mean() / ACC
        loss.backward()
        total_d += loss.item()
    optim_d.step()

    optim_g.zero_grad()
    total_g = 0.0
    for _ in range(ACC):
        loss = ((discriminator(generator(torch.randn(MICRO, 4))) - 1) ** 2).mean() / ACC
        loss.backward()
        total_g += loss.item()
    optim_g.step()
    for s in sched:
        s.step()
    recorder.step(d_loss=total_d, g_loss=total_g)
recorder.close()

with torch.no_grad():
    x = generator(torch.randn(1500, 4))
ref = spiral(3000)
gap = float(torch.cdist(x, ref).min(1).values.mean())
e = outside.energy(x, ref)
outside.say(e < 0.04 and gap < 0.2, energy=e, gap=gap)
