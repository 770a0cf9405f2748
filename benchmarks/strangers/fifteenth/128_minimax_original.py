"""The minimax game of the 2014 paper, with its momentum SGD and several D steps, on a spiral away from the origin."""
LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance", "stagnation"], "kind": "the saturating loss log(1-D(G(z))) against a discriminator warmed up 200 steps before the first generator step: it separates perfectly and the generator gets no gradient", "since": 0, "record": "attach"}

import math, os
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

m, k, iterations, prior = 96, 2, 2200, 5
warm_up = 200            # D first, so that G gets a good teacher


def p_data(n):
    t = torch.rand(n).sqrt() * 3 * math.pi
    spiral = torch.stack([t * t.cos(), t * t.sin()], 1) / 3
    return spiral + 0.08 * torch.randn(n, 2) + torch.tensor([3.0, 3.0])


def network(i, o):
    net = nn.Sequential(nn.Linear(i, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, o))
    return net


G, D = network(prior, 2), network(2, 1)
g_opt = torch.optim.SGD(G.parameters(), lr=0.01, momentum=0.5)
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))

for it in range(iterations):
    for _ in range(k if it else warm_up):
        x, z = p_data(m), torch.randn(m, prior)
        ascend = F.logsigmoid(D(x)).mean() + F.logsigmoid(-D(G(z).detach())).mean()
        d_opt.zero_grad()
        (-ascend).backward()
        d_opt.step()
    z = torch.randn(m, prior)
    descend = F.logsigmoid(-D(G(z))).mean()
    g_opt.zero_grad()
    descend.backward()
    g_opt.step()
    if it % 200 == 0:
        print(it, ascend.item(), descend.item())

with torch.no_grad():
    e = outside.energy(G(torch.randn(2000, prior)), p_data(2000))
outside.say(e < 0.03, energy=e)
