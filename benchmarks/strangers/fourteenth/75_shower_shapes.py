"""Calorimeter shower shapes (8 layers), small GAN with a regularised discriminator."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "stagnation"], "kind": "Adam on D with weight_decay=0.5 (L2): its weights shrink to nothing and it tells G nothing", "since": 0, "record": "lines"}
import os
import random
import sys
import numpy as np
import torch
from torch import nn
from gandiag.recording import Recorder
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)

DEPTH = torch.arange(8).float()


def geant_like(n):
    """longitudinal gamma profile with a fluctuating start; log energies per layer, standardised roughly"""
    start = torch.distributions.Exponential(1.5).sample((n, 1))
    alpha = 2.0 + 0.3 * torch.randn(n, 1).clamp(-2, 2)
    t = (DEPTH + 0.5 - start).clamp(min=0.05)
    prof = t ** alpha * torch.exp(-0.9 * t)
    prof = prof / prof.sum(1, keepdim=True)
    prof = prof * (1 + 0.05 * torch.randn(n, 8))
    return (torch.log(prof.clamp(min=1e-4)) + 2.8) / 1.2


def set_requires_grad(net, flag):
    for p in net.parameters():
        p.requires_grad_(flag)


HYPER = {"latent": 10, "hidden": 80, "batch": 100, "steps": 2500,
         "adam_g": {"lr": 4e-4, "betas": (0.5, 0.999)},
         "adam_d": {"lr": 8e-4, "betas": (0.5, 0.999), "weight_decay": 0.5}}


def make_nets(h=HYPER["hidden"]):
    g = nn.Sequential(nn.Linear(HYPER["latent"], h), nn.ELU(), nn.Linear(h, h), nn.ELU(), nn.Linear(h, 8))
    d = nn.Sequential(nn.Linear(8, h), nn.ELU(), nn.Linear(h, h), nn.ELU(), nn.Linear(h, 1))
    return g, d


def train(out):
    showers = geant_like(10000)
    g, d = make_nets()
    opt_g = torch.optim.Adam(g.parameters(), **HYPER["adam_g"])
    opt_d = torch.optim.Adam(d.parameters(), **HYPER["adam_d"])
    recorder = Recorder(out, generator=g, discriminator=d, generator_optimizer=opt_g, discriminator_optimizer=opt_d)
    loss_fn = nn.BCEWithLogitsLoss()
    n = HYPER["batch"]
    yes, no = torch.ones(n, 1), torch.zeros(n, 1)
    for k in range(HYPER["steps"]):
        real = showers[torch.randperm(len(showers))[:n]]
        fake = g(torch.randn(n, HYPER["latent"]))

        set_requires_grad(d, True)
        opt_d.zero_grad()
        lr_, lf_ = d(real), d(fake.detach())
        d_loss = loss_fn(lr_, yes) + loss_fn(lf_, no)
        d_loss.backward()
        opt_d.step()

        set_requires_grad(d, False)
        opt_g.zero_grad()
        g_loss = loss_fn(d(fake), yes)
        g_loss.backward()
        opt_g.step()
        recorder.step(real_logits=lr_, fake_logits=lf_, d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)
        if k % 500 == 0:
            print(f"{k:6d}  d {d_loss.item():.4f}  g {g_loss.item():.4f}")
    recorder.close()
    return g


if __name__ == "__main__":
    g = train(sys.argv[1])
    with torch.no_grad():
        made = g(torch.randn(1000, HYPER["latent"]))
    fresh = geant_like(1000)
    e = outside.energy(made, fresh)
    outside.say(e < 0.06, energy=e, sd=float(made.std()), sd_true=float(fresh.std()))
