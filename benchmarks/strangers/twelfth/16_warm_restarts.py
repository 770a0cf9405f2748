"""Pinwheel points with cosine warm restarts on both optimizers, every 600 steps back to the full rate."""
LABEL = {"sick": False, "causes": [], "kind": "the rates saw between 0 and full, losses jump at each restart, the last cycle ends well", "since": 0, "record": "lines"}
import os, sys, random, math
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts as Cosine
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def pinwheel(n, arms=4):
    k = torch.randint(arms, (n,)).float() * 2 * math.pi / arms
    r = 1 + 0.35 * torch.randn(n)
    t = 0.12 * torch.randn(n)
    a = k + 0.5 * r
    return torch.stack([r * a.cos() - t * a.sin(), r * a.sin() + t * a.cos()], 1)


G = nn.Sequential(nn.Linear(4, 80), nn.ELU(), nn.Linear(80, 80), nn.ELU(), nn.Linear(80, 2))
D = nn.Sequential(nn.Linear(2, 80), nn.ELU(), nn.Linear(80, 80), nn.ELU(), nn.Linear(80, 1))
g_opt = torch.optim.AdamW(G.parameters(), lr=2e-3, betas=(0.5, 0.9))
d_opt = torch.optim.AdamW(D.parameters(), lr=2e-3, betas=(0.5, 0.9))
sg, sd = Cosine(g_opt, 600), Cosine(d_opt, 600)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for step in range(3000):
    x = pinwheel(128).requires_grad_(True)
    r = D(x)
    grad = torch.autograd.grad(r.sum(), x, create_graph=True)[0]
    d_loss = F.softplus(-r).mean() + F.softplus(D(G(torch.randn(128, 4)).detach())).mean() + 0.05 * grad.pow(2).sum(1).mean()
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = F.softplus(-D(G(torch.randn(128, 4)))).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    sg.step(); sd.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, 4)), pinwheel(1000))
outside.say(e < 0.015, energy=e)
