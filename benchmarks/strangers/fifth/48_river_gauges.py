"""Six readings of a river station in different units; the first layer of the discriminator brings them to one scale."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault"], "kind": "batch norm on D's input standardises reals and fakes separately: D cannot see the means and deviations", "since": 0, "record": "automatic"}
import os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

def station(n):
    rain = torch.rand(n) ** 3
    season = torch.rand(n) * 6.283
    level = 2.5 + 1.5 * rain + 0.4 * season.sin() + 0.05 * torch.randn(n)
    flow = 3 + 2 * level + 0.3 * torch.randn(n)
    temp = 4 + 2.5 * season.sin() + 0.4 * torch.randn(n)
    oxygen = 5 - 0.3 * temp + 0.1 * torch.randn(n)
    mud = 0.2 + 2 * rain + 0.1 * torch.randn(n)
    ph = 2.3 - 0.3 * mud + 0.05 * torch.randn(n)
    return torch.stack([level, flow, temp, oxygen, mud, ph], 1)

def build(units=100):
    gen = nn.Sequential(nn.Linear(10, units), nn.LayerNorm(units), nn.ReLU(), nn.Linear(units, units), nn.ReLU(), nn.Linear(units, 6))
    dis = nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, units), nn.LeakyReLU(0.2), nn.Linear(units, units), nn.LeakyReLU(0.2), nn.Linear(units, 1))
    return gen, dis

class Experiment:
    def __init__(self, **k):
        self.gen, self.dis = build()
        self.og = torch.optim.Adam(self.gen.parameters(), lr=k["lr"], betas=(0.5, 0.99))
        self.od = torch.optim.Adam(self.dis.parameters(), lr=k["lr"], betas=(0.5, 0.99))
        self.data, self.k = station(6000), k

    def callbacks(self, step):
        if step == int(0.7 * self.k["steps"]):
            for o in (self.og, self.od):
                for g in o.param_groups: g["lr"] /= 4

    def fit(self):
        for step in range(self.k["steps"]):
            real = self.data[torch.randint(len(self.data), (self.k["batch"],))]
            fake = self.gen(torch.randn(self.k["batch"], 10))
            r, f = self.dis(real.requires_grad_(True)), self.dis(fake.detach())
            slope, = torch.autograd.grad(r.sum(), real, create_graph=True)
            loss = F.binary_cross_entropy_with_logits(r, torch.ones_like(r)) + F.binary_cross_entropy_with_logits(f, torch.zeros_like(f)) + self.k["r1"] * slope.pow(2).sum(1).mean()
            self.od.zero_grad(); loss.backward(); self.od.step()
            f = self.dis(fake)
            loss = F.binary_cross_entropy_with_logits(f, torch.ones_like(f))
            self.og.zero_grad(); loss.backward(); self.og.step()
            self.callbacks(step)

x = Experiment(lr=8e-4, batch=64, steps=1300, r1=0.3)
with gandiag.Recorder(sys.argv[1], generator=x.gen, discriminator=x.dis, generator_optimizer=x.og, discriminator_optimizer=x.od, automatic=True):
    x.fit()
with torch.no_grad():
    s = x.gen(torch.randn(1000, 10))
r = station(1000)
sd = r.std(0)
e = outside.energy(s / sd, r / sd)
outside.say(e < 0.04, energy=e, mean_error=float(((s.mean(0) - r.mean(0)) / sd).abs().max()))
