"""Both nets go through torch.compile; the optimizers hold the parameters of the nets beneath."""
import json
import sys

import torch
from torch import nn
from torch.nn.functional import softplus

torch.manual_seed(15)
g0, d0 = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3)), nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))
g, d = torch.compile(g0, backend="eager"), torch.compile(d0, backend="eager")
og, od = torch.optim.Adam(g0.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for step in range(20):
    x = torch.randn(16, 3)
    fake = g(torch.randn(16, 4))
    r, f = d(x), d(fake.detach())
    loss = softplus(-r).mean() + softplus(f).mean()
    od.zero_grad()
    loss.backward()
    own["real"].append(r.mean().item())
    own["fake"].append(f.mean().item())
    own["d_norm"].append(torch.cat([p.grad.flatten() for p in d0.parameters()]).norm().item())
    od.step()
    lg = softplus(-d(fake)).mean()
    og.zero_grad()
    lg.backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in g0.parameters()]).norm().item())
    og.step()
    print(step, loss.item(), lg.item())
torch.save({"g": g0.state_dict(), "d": d0.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
