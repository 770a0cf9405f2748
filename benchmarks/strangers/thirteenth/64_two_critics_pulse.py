"""Damped pulses judged by two discriminators, one on the waveform and one on its log spectrum."""
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "the G loss is overwritten in the loop over the discriminators, so only the last (the phase-blind spectral one) teaches G", "since": 0, "record": "attach"}
import os, random
import numpy as np, torch
from torch import nn
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
T = 32
t = torch.linspace(0, 1, T)

def pulses(n):
    a = 0.6 + 0.4 * torch.rand(n, 1)
    f = 2 + 2 * torch.rand(n, 1)
    d = 2 + 2 * torch.rand(n, 1)
    return a * torch.exp(-d * t) * torch.sin(2 * np.pi * f * t)

def logspec(x):
    return torch.log(torch.fft.rfft(x).abs() + 0.05)

class Gen(nn.Module):
    def __init__(self, z=10, h=128):
        super().__init__()
        self.z = z
        self.f = nn.Sequential(nn.Linear(z, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, T))
    def forward(self, n):
        return self.f(torch.randn(n, self.z))

def judge(n_in, h=96):
    return nn.Sequential(nn.Linear(n_in, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, 1))

gen = Gen()
judges = nn.ModuleDict({"wave": judge(T), "spec": judge(T // 2 + 1)})
view = {"wave": lambda x: x, "spec": logspec}
opt_g = torch.optim.Adam(gen.parameters(), 5e-4, betas=(0.5, 0.9))
opt_j = torch.optim.Adam(judges.parameters(), 5e-4, betas=(0.5, 0.9))
bce = nn.BCEWithLogitsLoss()

for step in range(2500):
    x, y = pulses(64), gen(64)
    one, zero = torch.ones(64, 1), torch.zeros(64, 1)
    loss_j = 0.0
    for name, net in judges.items():
        xr = view[name](x).requires_grad_()
        out = net(xr)
        gr, = torch.autograd.grad(out.sum(), xr, create_graph=True)
        loss_j = loss_j + bce(out, one) + bce(net(view[name](y.detach())), zero) + 0.05 * gr.square().sum(1).mean()
    opt_j.zero_grad(); loss_j.backward(); opt_j.step()
    for name, net in judges.items():
        loss_g = bce(net(view[name](y)), one)
    opt_g.zero_grad(); loss_g.backward(); opt_g.step()

with torch.no_grad():
    s = gen(1000)
e, es = outside.energy(s, pulses(1000)), outside.energy(logspec(s), logspec(pulses(1000)))
outside.say(e < 0.04 and es < 0.1, energy=e, spectrum=es)
