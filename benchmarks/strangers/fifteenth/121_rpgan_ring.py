"""Relativistic pairing GAN with zero-centred penalties on both sides (the R3GAN recipe) on the ring of eight Gaussians."""
LABEL = {"sick": False, "causes": [], "kind": "relativistic loss: only score differences matter, so raw scores float anywhere, both losses rest near log 2, and penalties R1+R2 are strong", "since": None, "record": "lines"}

import math, os, sys
from dataclasses import dataclass
import torch
from torch import nn
import torch.nn.functional as F
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)


@dataclass
class Config:
    steps: int = 3000
    batch: int = 128
    nz: int = 8
    width: int = 96
    lr: float = 1e-3
    gamma: float = 0.1
    sigma: float = 0.05


cfg = Config()
angles = torch.arange(8) * (2 * math.pi / 8)
centres = torch.stack([angles.cos(), angles.sin()], 1)


def sample_real(n):
    return centres[torch.randint(0, 8, (n,))] + cfg.sigma * torch.randn(n, 2)


def mlp(i, o, act):
    return nn.Sequential(nn.Linear(i, cfg.width), act(), nn.Linear(cfg.width, cfg.width), act(), nn.Linear(cfg.width, cfg.width), act(), nn.Linear(cfg.width, o))


def zero_centred(x, scores):
    g, = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return g.square().sum(1).mean()


G = mlp(cfg.nz, 2, lambda: nn.LeakyReLU(0.2))
D = mlp(2, 1, lambda: nn.LeakyReLU(0.2))
opt_g = torch.optim.Adam(G.parameters(), cfg.lr, betas=(0.0, 0.99))
opt_d = torch.optim.Adam(D.parameters(), cfg.lr, betas=(0.0, 0.99))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)

for it in range(cfg.steps):
    lr = cfg.lr * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * it / cfg.steps)))
    for o in (opt_g, opt_d):
        o.param_groups[0]["lr"] = lr
    x = sample_real(cfg.batch).requires_grad_(True)
    with torch.no_grad():
        y = G(torch.randn(cfg.batch, cfg.nz))
    y.requires_grad_(True)
    dx, dy = D(x), D(y)
    penalty = zero_centred(x, dx) + zero_centred(y, dy)
    loss_d = F.softplus(dy - dx).mean()
    opt_d.zero_grad()
    (loss_d + 0.5 * cfg.gamma * penalty).backward()
    opt_d.step()

    x = sample_real(cfg.batch)
    fake = G(torch.randn(cfg.batch, cfg.nz))
    rx, fx = D(x), D(fake)
    loss_g = F.softplus(rx - fx).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    recorder.step(real_logits=rx.detach(), fake_logits=fx.detach(), d_loss=loss_d.detach(), g_loss=loss_g.detach(), real=x, fake=fake.detach(), d_penalty=penalty.detach())
recorder.close()

with torch.no_grad():
    out = G(torch.randn(2000, cfg.nz))
e = outside.energy(out, sample_real(2000))
n, near = outside.modes(out, centres, 4 * cfg.sigma)
outside.say(n == 8 and near > 0.75 and e < 0.01, energy=e, modes=n, near=near)
