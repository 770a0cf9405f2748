"""Equilibrium samples of a particle in a double well coupled to a bath coordinate; cosine warm restarts, linear warmup, a light gradient penalty at the data, EMA of the generator."""
LABEL = {"sick": False, "causes": [], "kind": "healthy, learning rate with warm restarts", "since": None, "record": "attach"}
import os, random, copy, math
import numpy as np, torch
from torch import nn
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def langevin(n, steps=400, dt=0.02):
    x, y = torch.randn(n), torch.randn(n)
    for _ in range(steps):
        fx = -4 * x * (x ** 2 - 1) - 0.8 * (x - y)
        fy = -1.5 * y + 0.8 * (x - y)
        x = x + fx * dt + math.sqrt(2 * dt * 0.35) * torch.randn(n)
        y = y + fy * dt + math.sqrt(2 * dt * 0.35) * torch.randn(n)
    return torch.stack([x, y], 1)

traj = langevin(6000)
G = nn.Sequential(nn.Linear(4, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 1))
ema = copy.deepcopy(G)
og = torch.optim.Adam(G.parameters(), lr=7e-4, betas=(0.0, 0.9))
od = torch.optim.Adam(D.parameters(), lr=1.4e-3, betas=(0.0, 0.9))
period, warm = 750, 100
def rate(k):
    w = min(1.0, (k + 1) / warm)
    return w * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (k % period) / period)))
sg, sd = (torch.optim.lr_scheduler.LambdaLR(o, rate) for o in (og, od))
for k in range(3000):
    x = traj[torch.randint(len(traj), (128,))]
    f = G(torch.randn(128, 4))
    x.requires_grad_(True)
    real = D(x)
    slope, = torch.autograd.grad(real.sum(), x, create_graph=True)
    dl = nn.functional.softplus(-real).mean() + nn.functional.softplus(D(f.detach())).mean() + 0.05 * slope.pow(2).sum(1).mean()
    od.zero_grad(); dl.backward(); od.step()
    gl = nn.functional.softplus(-D(f)).mean()
    og.zero_grad(); gl.backward(); og.step()
    sg.step(); sd.step()
    with torch.no_grad():
        for a, b in zip(ema.parameters(), G.parameters()):
            a.lerp_(b, 0.005)
with torch.no_grad():
    z = torch.randn(1000, 4)
    e, e2 = outside.energy(ema(z), traj[:1000]), outside.energy(G(z), traj[:1000])
    left = (ema(z)[:, 0] < 0).float().mean().item()
outside.say(e < 0.02 and e2 < 0.03, energy_ema=e, energy_g=e2, left=left)
