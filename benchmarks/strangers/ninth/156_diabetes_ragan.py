#!/usr/bin/env python3
"""Diabetes ragan."""
# Relativistic average GAN with R1 on the diabetes table; warm restarts of both learning rates
import os, random, sys
import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import QuantileTransformer
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "relativistic average loss with R1, two D steps and warm restarts of the learning rates (jumps in all curves)",
         "since": None, "record": "automatic"}


def env_seed():
    seed = int(os.environ.get("SEED", "0"))
    for f in (random.seed, np.random.seed, torch.manual_seed):
        f(seed)
    torch.set_num_threads(1)
    return seed


def load_table():
    d = load_diabetes()
    cols = [0, 2, 3, 4, 5, 6, 8, 9]
    x = np.column_stack([d.data[:, cols], d.target])
    q = QuantileTransformer(n_quantiles=200, output_distribution="normal", random_state=0)
    return np.clip(q.fit_transform(x), -3, 3).astype("float32")


def make_g(z, out):
    return nn.Sequential(nn.Linear(z, 64), nn.BatchNorm1d(64), nn.LeakyReLU(.2), nn.Linear(64, 64), nn.BatchNorm1d(64), nn.LeakyReLU(.2), nn.Linear(64, out))


def make_d(inp):
    return nn.Sequential(nn.Linear(inp, 80), nn.SiLU(), nn.Linear(80, 40), nn.SiLU(), nn.Linear(40, 1))


def ra(a, b):
    """relativistic average logistic loss: a should score above b"""
    return nn.functional.softplus(-(a - b.mean())).mean() + nn.functional.softplus(b - a.mean()).mean()


if __name__ == "__main__":
    env_seed()
    table = torch.from_numpy(load_table())
    z_dim, bs = 12, 64
    g, d = make_g(z_dim, table.size(1)), make_d(table.size(1))
    go = torch.optim.Adam(g.parameters(), lr=1.5e-3, betas=(0., .99))
    do = torch.optim.Adam(d.parameters(), lr=1.5e-3, betas=(0., .99))
    sg, sd = (CosineAnnealingWarmRestarts(o, T_0=300, eta_min=1e-5) for o in (go, do))
    rec = gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=go, discriminator_optimizer=do, automatic=True)
    for it in range(1200):
        for _ in range(2):
            x = table[torch.randint(len(table), (bs,))].requires_grad_(True)
            with torch.no_grad():
                y = g(torch.randn(bs, z_dim))
            dx = d(x)
            r1 = torch.autograd.grad(dx.sum(), x, create_graph=True)[0].pow(2).sum(1).mean()
            ld = ra(dx, d(y)) + 0.5 * r1
            do.zero_grad()
            ld.backward()
            do.step()
        x = table[torch.randint(len(table), (bs,))]
        lg = ra(d(g(torch.randn(bs, z_dim))), d(x).detach())
        go.zero_grad()
        lg.backward()
        go.step()
        sg.step(), sd.step()
        if it % 600 == 599:
            print(it + 1, "D", round(ld.item(), 3), "G", round(lg.item(), 3))
    rec.close()
    with torch.no_grad():
        e = outside.energy(g(torch.randn(442, z_dim)), table)
    outside.say(e < 0.05, energy=e)
