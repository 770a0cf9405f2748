"""Does a GAN survive it when the discriminator is thrown away now and then? Swiss roll, relativistic average least squares."""
LABEL = {"sick": False, "causes": [], "kind": "every 1000 steps D and its optimizer are built anew, so losses jump; G recovers each time and the last stretch suffices", "since": None, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_swiss_roll
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)


def roll(n):
    x, _ = make_swiss_roll(n, noise=0.3)
    return torch.tensor(x[:, [0, 2]] / 7.0, dtype=torch.float32)


def make_d():
    d = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2),
                      nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
    return d, torch.optim.Adam(d.parameters(), lr=1e-3, betas=(0.5, 0.99))


def ralsgan(a, b):
    """a should exceed the mean of b by one, b fall short of the mean of a by one"""
    return ((a - b.mean() - 1) ** 2).mean() + ((b - a.mean() + 1) ** 2).mean()


pool = roll(20000)
g = nn.Sequential(nn.Linear(3, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
og = torch.optim.Adam(g.parameters(), lr=4e-4, betas=(0.5, 0.99))
sched = torch.optim.lr_scheduler.StepLR(og, 1500, gamma=0.5)
d, od = make_d()

STEPS, BATCH, FRESH = 4000, 128, 1000
for i in range(STEPS):
    if i and i % FRESH == 0:
        d, od = make_d()
        print("new discriminator at", i)
    x = pool[torch.randint(len(pool), (BATCH,))]
    y = g(torch.randn(BATCH, 3))
    ld = ralsgan(d(x), d(y.detach()))
    od.zero_grad(); ld.backward(); od.step()
    lg = ralsgan(d(y), d(x))
    og.zero_grad(); lg.backward(); og.step()
    sched.step()
    if i % 500 == 499:
        print(i + 1, "ld %.3f lg %.3f" % (ld.item(), lg.item()))

with torch.no_grad():
    y = g(torch.randn(2000, 3))
fresh = roll(1500)
e = outside.energy(y, fresh)
dist = torch.cdist(fresh, y)
reached = float((dist.min(1).values < 0.15).float().mean())
off = float(dist.min(0).values.mean())
outside.say(e < 0.02 and reached > 0.85 and off < 0.15, energy=e, reached=reached, off_curve=off)
