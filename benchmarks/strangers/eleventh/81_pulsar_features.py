"""Pulsar candidate features (three clusters in 4-D), relativistic average loss with instance noise that is annealed to a small rest."""
LABEL = {"sick": False, "causes": [], "kind": "healthy; D loss stays near ln 2 under instance noise", "since": None, "record": "lines"}
import os, sys, random
import numpy as np, torch
from torch import nn
import torch.nn.functional as F
import gandiag, outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
centres = torch.tensor([[1.5, 0, -1, 0.5], [-1.5, 1, 0.5, 0], [0, -1.5, 1, -1.0]])
def candidates(n):
    k = torch.randint(3, (n,))
    x = 0.35 * torch.randn(n, 4)
    x[:, 1] += 0.5 * x[:, 0]
    return centres[k] + x
G = nn.Sequential(nn.Linear(8, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 4))
D = nn.Sequential(nn.Linear(4, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=8e-4, betas=(0.0, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
STEPS = 2300
for i in range(STEPS):
    sigma = 0.7 * max(0.2, 1 - i / (0.7 * STEPS))
    noisy = lambda v: v + sigma * torch.randn_like(v)
    x, f = candidates(128), G(torch.randn(128, 8))
    r, s = D(noisy(x)), D(noisy(f.detach()))
    d_loss = 0.5 * (F.softplus(-(r - s.mean())).mean() + F.softplus(s - r.mean()).mean())
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    r, s = D(noisy(x)).detach(), D(noisy(f))
    g_loss = 0.5 * (F.softplus(-(s - r.mean())).mean() + F.softplus(r - s.mean()).mean())
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    s = G(torch.randn(1000, 8))
e = outside.energy(s, candidates(1000)); m, near = outside.modes(s, centres, 1.3)
outside.say(e < 0.02 and m == 3, energy=e, modes=m, near=near)
