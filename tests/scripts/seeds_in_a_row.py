"""One training after another in one process, each with networks of its own; the second makes its optimizers anew half-way."""
import sys

import torch
from torch import nn
from torch.nn.functional import softplus


def train(seed, steps):
    torch.manual_seed(seed)
    g = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    d = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    rates = {0: 1e-2, 15: 1e-3} if seed else {0: 1e-2}
    for step in range(steps):
        if step in rates:
            opt_g, opt_d = (torch.optim.Adam(net.parameters(), rates[step]) for net in (g, d))
        fake = g(torch.randn(16, 3))
        opt_d.zero_grad()
        (softplus(-d(torch.rand(16, 2))).mean() + softplus(d(fake.detach())).mean()).backward()
        opt_d.step()
        opt_g.zero_grad()
        softplus(-d(fake)).mean().backward()
        opt_g.step()
    print(seed, d(fake).mean().item())
    return {"g": g.state_dict(), "d": d.state_dict()}


torch.save(train(0, 20) and train(1, 60), sys.argv[1])
