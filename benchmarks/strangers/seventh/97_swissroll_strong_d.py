"""A GAN: swissroll strong d."""
import os, sys, random
import numpy as np
import torch
import gandiag
import outside
from sklearn.datasets import make_swiss_roll
from torch import nn, optim

LABEL = {"sick": False, "causes": [], "kind": "swiss roll with D at four times G's rate and two D steps: G's loss creeps up over the run and D stays better than chance", "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

registry = {}
def register(name):
    def deco(f):
        registry[name] = f
        return f
    return deco

@register("swiss")
def swiss(n=10000):
    p, _ = make_swiss_roll(n, noise=0.4, random_state=0)
    return torch.tensor(p[:, [0, 2]] / 8.0, dtype=torch.float32)

@register("g_mlp")
def g_mlp(z, width):
    return nn.Sequential(nn.Linear(z, width), nn.Mish(), nn.Linear(width, width), nn.Mish(), nn.Linear(width, width), nn.Mish(), nn.Linear(width, 2))

@register("d_mlp")
def d_mlp(width):
    return nn.Sequential(nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))

@register("ns")
def ns(r, f=None):
    return nn.functional.softplus(-r).mean() if f is None else nn.functional.softplus(-r).mean() + nn.functional.softplus(f).mean()

cfg = {"data": "swiss", "loss": "ns", "G": {"z": 2, "width": 80}, "D": {"width": 96}, "lr": {"G": 5e-4, "D": 2e-3}, "rounds": 2000, "n_d": 2, "batch": 96}
X = registry[cfg["data"]]()
G, D = registry["g_mlp"](**cfg["G"]), registry["d_mlp"](**cfg["D"])
opt_G = optim.Adam(G.parameters(), cfg["lr"]["G"], betas=(0.5, 0.99))
opt_D = optim.Adam(D.parameters(), cfg["lr"]["D"], betas=(0.5, 0.99))
crit = registry[cfg["loss"]]
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_G, discriminator_optimizer=opt_D, automatic=True)
for _ in range(cfg["rounds"]):
    for _ in range(cfg["n_d"]):
        xr = X[torch.randint(len(X), (cfg["batch"],))]
        xf = G(torch.randn(cfg["batch"], cfg["G"]["z"])).detach()
        opt_D.zero_grad()
        crit(D(xr), D(xf)).backward()
        opt_D.step()
    opt_G.zero_grad()
    crit(D(G(torch.randn(cfg["batch"], cfg["G"]["z"])))).backward()
    opt_G.step()
rec.close()
with torch.no_grad():
    s = G(torch.randn(1000, cfg["G"]["z"]))
near = torch.cdist(s, X[:4000]).min(1).values.median().item()
e = outside.energy(s, X[:1000])
outside.say(e < 0.03 and near < 0.05, energy=e, near=near)
