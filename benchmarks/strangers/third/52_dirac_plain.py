"""The Dirac-GAN, with the plain logistic loss and simultaneous gradient steps."""
LABEL = {"sick": True, "causes": ["oscillation", "divergence", "convergence"], "kind": "unregularised Dirac-GAN circles around the equilibrium and drifts outward", "since": 0, "record": "lines"}
import json
import math
import os
import sys

import torch
from torch import nn
from torch.nn.functional import softplus

import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)


class Point(nn.Module):
    def __init__(self, where):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([[float(where)]]))

    def forward(self, z):
        return self.theta + 0.0 * z


point, line = Point(1.0), nn.Linear(1, 1, bias=False)
nn.init.constant_(line.weight, 0.3)
og = torch.optim.SGD(point.parameters(), lr=0.2)
od = torch.optim.SGD(line.parameters(), lr=0.2)
trace = []
with gandiag.Recorder(sys.argv[1], generator=point, discriminator=line, generator_optimizer=og, discriminator_optimizer=od) as rec:
    for step in range(1500):
        z, real = torch.randn(16, 1), 0.01 * torch.randn(16, 1)
        fake = point(z)
        ld = softplus(-line(real)).mean() + softplus(line(fake.detach())).mean()
        od.zero_grad(); ld.backward()
        lg = softplus(-line(fake)).mean()
        gg = torch.autograd.grad(lg, point.theta)[0]  # before D moves: simultaneous
        od.step()
        og.zero_grad(); point.theta.grad = gg; og.step()
        rec.step(d_loss=ld, g_loss=lg)
        trace.append(point.theta.item())
tail = torch.tensor(trace[-600:])
amplitude = float(tail.abs().max())
turns = int(((tail[1:] > 0) != (tail[:-1] > 0)).sum())
print(json.dumps({"outcome": {"amplitude": amplitude, "sign_changes": turns, "first_amplitude": max(map(abs, trace[:200]))}, "well": amplitude < 0.2 and math.isfinite(amplitude)}))
