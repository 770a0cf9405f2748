"""Relativistic average GAN on two interleaved half moons plus a height coordinate, sampling done with the EMA weights."""
import copy, os, random, sys
import numpy as np, torch
import torch.nn as nn
from sklearn.datasets import make_moons
from torch.nn.functional import binary_cross_entropy_with_logits as bcel
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "healthy relativistic average GAN with EMA and D lr above G lr, raw scores drift", "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def cloud(n, seed):
    p, y = make_moons(n, noise=0.06, random_state=seed)
    p = (p - [0.5, 0.25]) * 1.3
    h = np.where(y == 1, 0.5, -0.5) + 0.15 * np.random.default_rng(seed).standard_normal(n)
    return torch.tensor(np.c_[p, h], dtype=torch.float32)


train, test = cloud(6000, SEED + 1), cloud(1000, SEED + 2)
G = nn.Sequential(nn.Linear(6, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 3))
D = nn.Sequential(nn.Linear(3, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.0, 0.99))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.0, 0.99))
averaged = copy.deepcopy(G)
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)

N = 192
ones, zeros = torch.ones(N, 1), torch.zeros(N, 1)
for step in range(2400):
    real = train[torch.randint(len(train), (N,))].requires_grad_()
    fake = G(torch.randn(N, 6))
    cr, cf = D(real), D(fake.detach())
    gp = torch.autograd.grad(cr.sum(), real, create_graph=True)[0].pow(2).sum(1).mean()
    d_loss = (bcel(cr - cf.mean(), ones) + bcel(cf - cr.mean(), zeros)) / 2 + 0.05 * gp
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    cr, cf = D(real.detach()), D(fake)
    g_loss = (bcel(cf - cr.mean(), ones) + bcel(cr - cf.mean(), zeros)) / 2
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    with torch.no_grad():
        for a, p in zip(averaged.parameters(), G.parameters()):
            a.mul_(0.995).add_(p, alpha=0.005)
    if step % 400 == 0:
        print(f"{step:5d} D {d_loss:.3f} G {g_loss:.3f}")

with torch.no_grad():
    s, raw = averaged(torch.randn(1000, 6)), G(torch.randn(1000, 6))
off = torch.cdist(s, train).min(1).values.mean().item()
e = outside.energy(s, test)
outside.say(e < 0.03 and off < 0.12, energy=e, raw=outside.energy(raw, test), off=off)
