"""Least-squares GAN matching a three-bump histogram of exam marks (0..100), 1-D."""
LABEL = {"sick": False, "causes": [], "kind": "LSGAN in 1-D on raw marks 0..100; inputs scaled inside the nets; D loss flat at 0.25", "since": None, "record": "lines"}
import os, sys, random
import numpy as np
import torch
from torch import nn
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

rng = np.random.RandomState(SEED)
marks = np.concatenate([rng.normal(28, 5, 900), rng.normal(55, 6, 1500), rng.normal(84, 4, 1000)]).clip(0, 100)
marks = torch.tensor(marks, dtype=torch.float32)[:, None]

class Gen(nn.Module):
    def __init__(s):
        super().__init__()
        s.f = nn.Sequential(nn.Linear(6, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 1))
    def forward(s, z): return 50 + 25 * s.f(z)
class Dis(nn.Module):
    def __init__(s):
        super().__init__()
        s.f = nn.Sequential(nn.Linear(1, 64), nn.LeakyReLU(.2), nn.Linear(64, 64), nn.LeakyReLU(.2), nn.Linear(64, 1))
    def forward(s, x): return s.f((x - 50) / 25)

G, D = Gen(), Dis()
g_opt = torch.optim.Adam(G.parameters(), 1e-3, betas=(.5, .99))
d_opt = torch.optim.Adam(D.parameters(), 2e-3, betas=(.5, .99))
mse = nn.MSELoss()
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for t in range(4000):
    real = marks[torch.randint(len(marks), (200,))]
    fake = G(torch.randn(200, 6))
    pr, pf = D(real), D(fake.detach())
    d_loss = .5 * mse(pr, torch.ones_like(pr)) + .5 * mse(pf, torch.zeros_like(pf))
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    pf = D(fake)
    g_loss = .5 * mse(pf, torch.ones_like(pf))
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    s = G(torch.randn(1000, 6))
perm = torch.randperm(len(marks))
e = outside.energy(s, marks[perm])
share = [float(((s > a) & (s <= b)).float().mean()) for a, b in ((0, 41), (41, 72), (72, 101))]
outside.say(e < 0.02 and min(share) > 0.15, energy=e, low=share[0], mid=share[1], high=share[2])
