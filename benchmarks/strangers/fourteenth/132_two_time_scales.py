"""TTUR on a mixture of eight: a quick discriminator and a slow generator, a light R1 term."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "oscillation", "mode_collapse", "learning_rate", "mode_dropping"], "kind": "the two learning rates reach the optimizers in the wrong order: G runs 17 times as fast as D", "since": 0, "record": "attach"}
import os, random, math
from types import SimpleNamespace
import numpy as np
import torch
from torch import nn
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

cfg = SimpleNamespace(lr_d=2.5e-3, lr_g=1.5e-4, batch=128, nz=16, steps=3000, sd=0.1, r1=0.03)


def ring(n, sd=cfg.sd):
    k = torch.randint(8, (n,))
    a = k * math.pi / 4
    return 2 * torch.stack([a.cos(), a.sin()], 1) + sd * torch.randn(n, 2)


def build_networks():
    g = nn.Sequential(nn.Linear(cfg.nz, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
    d = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
    return g, d


def build_optimizers(generator, discriminator, lr_g, lr_d, betas=(0.5, 0.999)):
    return (torch.optim.Adam(generator.parameters(), lr=lr_g, betas=betas),
            torch.optim.Adam(discriminator.parameters(), lr=lr_d, betas=betas))


generator, discriminator = build_networks()
opt_g, opt_d = build_optimizers(generator, discriminator, cfg.lr_d, cfg.lr_g)
criterion = nn.BCEWithLogitsLoss()
log = []

for step in range(cfg.steps):
    # update D
    opt_d.zero_grad()
    real = ring(cfg.batch).requires_grad_(True)
    fake = generator(torch.randn(cfg.batch, cfg.nz)).detach()
    out_r, out_f = discriminator(real), discriminator(fake)
    err_d = criterion(out_r, torch.ones_like(out_r)) + criterion(out_f, torch.zeros_like(out_f))
    grad = torch.autograd.grad(out_r.sum(), real, create_graph=True)[0]
    (err_d + cfg.r1 * grad.pow(2).sum(1).mean()).backward()
    opt_d.step()
    # update G
    opt_g.zero_grad()
    out = discriminator(generator(torch.randn(cfg.batch, cfg.nz)))
    err_g = criterion(out, torch.ones_like(out))
    err_g.backward()
    opt_g.step()

    log.append((err_d.item(), err_g.item()))
    if (step + 1) % 500 == 0:
        d, g = np.mean(log[-500:], axis=0)
        print(f"step {step + 1}: mean err_d {d:.3f}, mean err_g {g:.3f}")

with torch.no_grad():
    y = generator(torch.randn(2000, cfg.nz))
a = torch.arange(8) * math.pi / 4
centres = 2 * torch.stack([a.cos(), a.sin()], 1)
covered, near = outside.modes(y, centres, 4 * cfg.sd)
e = outside.energy(y, ring(1000))
outside.say(covered >= 7 and e < 0.04 and near > 0.4, energy=e, modes=covered, near=near)
