"""LSGAN on 8x8 stripe textures; learning rate drops by ten at two milestones, config in a dict."""
LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "mode_collapse", "dead_layers"], "kind": "MultiStepLR with gamma 10 in place of 0.1: the rates rise tenfold at step 1600 and again at 2200", "since": 1600, "record": "attach"}
import os, random, math
import numpy as np
import torch
import torch.nn as nn
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

config = {
    "batch": 96, "steps": 2700, "z": 12, "lr": 1e-3, "betas": (0.5, 0.999),
    "schedule": {"milestones": [1600, 2200], "gamma": 10},
}

ii, jj = torch.meshgrid(torch.arange(8.), torch.arange(8.), indexing="ij")
def stripes(n):
    th = torch.rand(n, 1, 1) * 0.7
    ph = torch.rand(n, 1, 1) * 2 * math.pi
    return 0.8 * torch.sin(1.1 * (ii * torch.cos(th) + jj * torch.sin(th)) + ph)[:, None]

class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(config["z"], 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh())
    def forward(self, z):
        return self.fc(z).view(-1, 1, 8, 8)

class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 16, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 3, 2, 1), nn.LeakyReLU(0.2))
        self.fc = nn.Linear(128, 1)
    def forward(self, x):
        return self.fc(self.conv(x).flatten(1))

g, d = G(), D()
opts = [torch.optim.Adam(m.parameters(), lr=config["lr"], betas=config["betas"]) for m in (g, d)]
scheds = [torch.optim.lr_scheduler.MultiStepLR(o, **config["schedule"]) for o in opts]
opt_g, opt_d = opts

for step in range(config["steps"]):
    x = stripes(config["batch"])
    fake = g(torch.randn(config["batch"], config["z"]))
    loss_d = ((d(x) - 1).pow(2).mean() + d(fake.detach()).pow(2).mean()) / 2
    opt_d.zero_grad(); loss_d.backward(); opt_d.step()
    loss_g = (d(fake) - 1).pow(2).mean() / 2
    opt_g.zero_grad(); loss_g.backward(); opt_g.step()
    for s in scheds:
        s.step()
    if step % 400 == 0:
        print(step, opt_g.param_groups[0]["lr"], loss_d.item(), loss_g.item())

with torch.no_grad():
    f = g(torch.randn(1000, config["z"]))
real = stripes(4000)
e = outside.energy(f, real[:1000])
near = float(torch.cdist(f.flatten(1), real.flatten(1)).min(1).values.mean())
outside.say(e < 0.04 and near < 2.5, energy=e, nearest=near)
