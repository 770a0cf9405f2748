"""Gidel et al. 2019: alternating SGD with negative momentum, no Adam anywhere; four blobs in the plane."""
LABEL = {"sick": False, "causes": [], "kind": "plain SGD with momentum -0.3 and a rate of 0.1, losses hover at log 4 / log 2 with ripples; the blobs are learnt", "since": None, "record": "automatic"}
import os, sys, random, math
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

BLOBS = torch.tensor([[1.2, 1.2], [-1.2, 1.2], [-1.2, -1.2], [1.2, -1.2]])
SD, BETA, LR, STEPS, B, NZ = 0.2, -0.3, 0.1, 5000, 128, 8


def blobs(n):
    return BLOBS[torch.randint(4, (n,))] + SD * torch.randn(n, 2)


def net(i, o, act):
    return nn.Sequential(nn.Linear(i, 96), act, nn.Linear(96, 96), act, nn.Linear(96, o))


def negative_sgd(params, lr, beta):
    opt = torch.optim.SGD(params, lr=lr)
    for group in opt.param_groups:      # the constructor refuses negative values
        group["momentum"] = beta
    return opt


G, D = net(NZ, 2, nn.ReLU()), net(2, 1, nn.LeakyReLU(0.1))
for m in list(G.modules()) + list(D.modules()):
    if isinstance(m, nn.Linear):
        nn.init.orthogonal_(m.weight, gain=1.2)
        nn.init.zeros_(m.bias)
opt_g, opt_d = negative_sgd(G.parameters(), LR, BETA), negative_sgd(D.parameters(), LR, BETA)
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)

for t in range(STEPS):
    opt_d.zero_grad()
    x = blobs(B).requires_grad_(True)
    dx = D(x)
    dy = D(G(torch.randn(B, NZ)).detach())
    slope, = torch.autograd.grad(dx.sum(), x, create_graph=True)
    loss_d = F.softplus(-dx).mean() + F.softplus(dy).mean() + 0.05 * slope.square().sum(1).mean()
    loss_d.backward()
    opt_d.step()

    opt_g.zero_grad()
    loss_g = F.softplus(-D(G(torch.randn(B, NZ)))).mean()
    loss_g.backward()
    opt_g.step()
    if t % 1000 == 0:
        print(t, f"{loss_d.item():.4f} (log 4 = {math.log(4):.4f})", f"{loss_g.item():.4f}")
recorder.close()

with torch.no_grad():
    y = G(torch.randn(2000, NZ))
e = outside.energy(y, blobs(1000))
m, near = outside.modes(y, BLOBS, 3 * SD)
outside.say(e < 0.03 and m == 4 and near > 0.7, energy=e, modes=m, near=near)
