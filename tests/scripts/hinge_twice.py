"""Hinge loss with spectral normalisation; the generator is updated twice for each update of the discriminator."""
import json
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

torch.manual_seed(10)
net_g = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 6))
net_d = nn.Sequential(spectral_norm(nn.Linear(6, 32)), nn.ReLU(), spectral_norm(nn.Linear(32, 1)))
og, od = torch.optim.Adam(net_g.parameters(), 1e-3, (0.0, 0.9)), torch.optim.Adam(net_d.parameters(), 1e-3, (0.0, 0.9))
own = {"g_norm": []}
for step in range(15):
    real = torch.randn(24, 6)
    fake = net_g(torch.randn(24, 8))
    ld = F.relu(1 - net_d(real)).mean() + F.relu(1 + net_d(fake.detach())).mean()
    od.zero_grad()
    ld.backward()
    od.step()
    for _ in range(2):
        lg = -net_d(net_g(torch.randn(24, 8))).mean()
        og.zero_grad()
        lg.backward()
        own["g_norm"].append(torch.cat([p.grad.flatten() for p in net_g.parameters()]).norm().item())
        og.step()
    print(step, ld.item(), lg.item())
torch.save({"g": net_g.state_dict(), "d": net_d.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
