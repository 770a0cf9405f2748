"""Both nets are compiled in place (`net.compile()`), after which they are called as before."""
import json
import sys

import torch
from torch import nn
from torch.nn.functional import softplus

torch.manual_seed(39)
g = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
d = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))
g.compile(backend="aot_eager")
d.compile(backend="aot_eager")
og, od = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
own = {"real": [], "g_norm": []}
for i in range(14):
    x, fake = torch.randn(16, 3), g(torch.randn(16, 4))
    r, f = d(x), d(fake.detach())
    od.zero_grad()
    (softplus(-r).mean() + softplus(f).mean()).backward()
    own["real"].append(r.mean().item())
    od.step()
    og.zero_grad()
    lg = softplus(-d(fake)).mean()
    lg.backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in g.parameters()]).norm().item())
    og.step()
    print(i, lg.item())
torch.save({"g": g.state_dict(), "d": d.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
