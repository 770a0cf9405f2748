"""Conditional GRU generator for damped oscillators: the condition is the (continuous) damping constant, 16 time steps."""
LABEL = {"sick": False, "causes": [], "kind": "healthy conditional GRU GAN", "since": None, "record": "lines"}
import os, sys, random
import numpy as np, torch
from torch import nn
import torch.nn.functional as F
import gandiag
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
config = {"T": 16, "hidden": 24, "z": 4, "batch": 64, "steps": 1100, "lr_g": 1e-3, "lr_d": 2e-3}
t = torch.linspace(0, 3, config["T"])

def physics(c):
    phase = 0.5 * torch.randn(len(c), 1)
    return torch.exp(-c * t) * torch.cos(2 * np.pi * 0.6 * t + phase) + 0.02 * torch.randn(len(c), config["T"])

class G_(nn.Module):
    def __init__(self):
        super().__init__()
        h = config["hidden"]
        self.start = nn.Sequential(nn.Linear(config["z"] + 1, h), nn.Tanh())
        self.cell = nn.GRU(config["z"] + 2, h, batch_first=True)
        self.out = nn.Linear(h, 1)
    def forward(self, z, c):
        s = torch.cat([z, c], 1)
        clock = t.view(1, -1, 1).expand(len(z), -1, 1)
        o, _ = self.cell(torch.cat([s[:, None].expand(-1, len(t), -1), clock], 2), self.start(s)[None])
        return self.out(o).squeeze(-1)

class D_(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(config["T"] + 1, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
    def forward(self, x, c):
        return self.f(torch.cat([x, c], 1))

class Trainer:
    def __init__(self, run):
        self.G, self.D = G_(), D_()
        self.go = torch.optim.Adam(self.G.parameters(), config["lr_g"], betas=(0.5, 0.9))
        self.do = torch.optim.Adam(self.D.parameters(), config["lr_d"], betas=(0.5, 0.9))
        self.rec = gandiag.Recorder(run, generator=self.G, discriminator=self.D, generator_optimizer=self.go, discriminator_optimizer=self.do)
    def step(self):
        c = torch.rand(config["batch"], 1) * 1.5
        x, f = physics(c), self.G(torch.randn(len(c), config["z"]), c)
        dl = F.softplus(-self.D(x, c)).mean() + F.softplus(self.D(f.detach(), c)).mean()
        self.do.zero_grad(); dl.backward(); self.do.step()
        gl = F.softplus(-self.D(f, c)).mean()
        self.go.zero_grad(); gl.backward(); self.go.step()
        self.rec.step(d_loss=dl, g_loss=gl)
    def run(self):
        for _ in range(config["steps"]): self.step()
        self.rec.close()

T = Trainer(sys.argv[1]); T.run()
es = []
with torch.no_grad():
    for v in (0.1, 0.7, 1.4):
        c = torch.full((600, 1), v)
        es.append(outside.energy(T.G(torch.randn(600, config["z"]), c), physics(c)))
outside.say(max(es) < 0.08, worst=max(es), mean=float(np.mean(es)))
