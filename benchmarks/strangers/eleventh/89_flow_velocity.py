"""Pipe flow: 12-point velocity profiles between laminar and turbulent; closures for the two updates."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "oscillation", "discriminator_dominance"], "kind": "gradients are never zeroed (neither net): they pile up over the whole run", "since": 0, "record": "attach"}
import os, random
import numpy as np, torch
from torch import nn
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
r = torch.linspace(0, 0.95, 12)
def profiles(n):
    m = torch.rand(n, 1)
    u = (1 - r ** 2) * (1 - m) + m * (1 - r) ** (1 / 7)
    return (u * (1 + 0.25 * torch.randn(n, 1)) - 0.7) * 2 + 0.02 * torch.randn(n, 12)
G = nn.Sequential(nn.Linear(6, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 12))
D = nn.Sequential(nn.Linear(12, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
g_step, d_step = torch.optim.Adam(G.parameters(), 5e-4, betas=(.5, .9)), torch.optim.Adam(D.parameters(), 5e-4, betas=(.5, .9))
def d_closure():
    x = profiles(64)
    with torch.no_grad(): f = G(torch.randn(64, 6))
    l = nn.functional.mse_loss(D(x), torch.ones(64, 1)) + nn.functional.mse_loss(D(f), torch.zeros(64, 1))
    l.backward()
    return l
def g_closure():
    l = nn.functional.mse_loss(D(G(torch.randn(64, 6))), torch.ones(64, 1))
    l.backward()
    return l
for it in range(3000):
    d_step.step(d_closure)
    g_step.step(g_closure)
with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, 6)), profiles(1000))
outside.say(e < 0.04, energy=e)
