"""Digits GAN in two phases as in our production recipe: plain batches first, then the noisier 'robust' loader for the second phase."""
import os, sys, random
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
import gandiag, outside

LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance"], "kind": "second-phase loader forgets to scale the images to [-1, 1]; reals become 0..16", "since": 900, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

images = torch.tensor(load_digits().images, dtype=torch.float32).flatten(1)


class PhaseOne:
    def __iter__(self):
        while True:
            x = images[torch.randint(0, len(images), (64,))]
            yield x / 8.0 - 1.0


class PhaseTwo:
    """adds sensor noise to the picture"""
    def __iter__(self):
        while True:
            x = images[torch.randint(0, len(images), (64,))]
            x = x + 0.1 * torch.randn_like(x)
            yield x


SCHEDULE = [(900, PhaseOne(), 2e-3), (1300, PhaseTwo(), 1e-3)]

G = nn.Sequential(nn.Linear(32, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 64), nn.Tanh())
D = nn.Sequential(nn.Linear(64, 192), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(192, 96), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(96, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)

step = 0
for length, loader, lr in SCHEDULE:
    for opt in (g_opt, d_opt):
        for group in opt.param_groups:
            group["lr"] = lr
    batches = iter(loader)
    for _ in range(length):
        real = next(batches)
        fake = G(torch.randn(64, 32))
        d_loss = F.softplus(-D(real)).mean() + F.softplus(D(fake.detach())).mean()
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
        g_loss = F.softplus(-D(fake)).mean()
        g_opt.zero_grad(); g_loss.backward(); g_opt.step()
        rec.step(d_loss=d_loss, g_loss=g_loss)
        if step % 300 == 0:
            print(step, d_loss.item(), g_loss.item())
        step += 1
rec.close()

with torch.no_grad():
    made = G(torch.randn(600, 32))
classes, near, _ = outside.digit_quality(made)
e = outside.energy(made, images / 8 - 1)
outside.say(classes >= 9 and e < 0.1 and near < 1.6, classes=classes, near=near, energy=e)
