"""A GAN: calorimeter minimax."""
import os, sys, random
import numpy as np, torch
import torch.nn as nn, torch.optim as optim
import gandiag, outside

LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance", "objective_fault"], "kind": "log(1-D) loss for G (as in the paper's algorithm box, SGD) against a pretrained confident D: no gradient reaches G", "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
torch.set_num_threads(1)
for f in (torch.manual_seed, np.random.seed, random.seed):
    f(SEED)

# toy calorimeter: energies deposited in 6 layers (log GeV), correlated through the shower depth
def showers(n):
    depth = np.random.gamma(6.0, 0.4, (n, 1))
    layer = np.arange(6)[None]
    e = 3.0 - 0.35 * (layer - depth) ** 2 + 0.25 * np.random.randn(n, 6)
    return torch.tensor(e, dtype=torch.float32)

zdim = 8

def mlp(sizes, act):
    layers = []
    for a, b in zip(sizes[:-1], sizes[1:]):
        layers += [nn.Linear(a, b), act()]
    return nn.Sequential(*layers[:-1])

G = mlp([zdim, 64, 64, 6], nn.ELU)
D = mlp([6, 64, 64, 1], nn.ELU)
g_opt = optim.SGD(G.parameters(), lr=0.01, momentum=0.5)
d_opt = optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
k = 1
pretrain = 400

def d_step():
    x = showers(64)
    with torch.no_grad():
        xf = G(torch.randn(64, zdim))
    pr, pf = torch.sigmoid(D(x)), torch.sigmoid(D(xf))
    loss = -(torch.log(pr + 1e-7) + torch.log(1 - pf + 1e-7)).mean()
    d_opt.zero_grad()
    loss.backward()
    d_opt.step()
    return loss

def g_step():
    pf = torch.sigmoid(D(G(torch.randn(64, zdim))))
    loss = torch.log(1 - pf + 1e-7).mean()
    g_opt.zero_grad()
    loss.backward()
    g_opt.step()
    return loss

rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
for _ in range(pretrain):
    d_step()
for i in range(1800):
    for _ in range(k):
        ld = d_step()
    lg = g_step()
rec.close()

with torch.no_grad():
    xs = G(torch.randn(1000, zdim))
e = outside.energy(xs, showers(1000))
outside.say(e < 0.1, energy=e)
