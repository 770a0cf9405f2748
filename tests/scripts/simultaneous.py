"""Both losses are computed and sent backward before either optimizer steps; the nets live in a dict."""
import json
import sys

import torch
from torch import nn
from torch.nn.functional import softplus

torch.manual_seed(41)
models = {
    "gen": nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3)),
    "dis": nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1)),
}
opts = {name: torch.optim.SGD(net.parameters(), 1e-2) for name, net in models.items()}
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for i in range(16):
    x, fake = torch.randn(16, 3), models["gen"](torch.randn(16, 4))
    r, f = models["dis"](x), models["dis"](fake.detach())
    loss_d = softplus(-r).mean() + softplus(f).mean()
    loss_g = softplus(-models["dis"](fake)).mean()
    grads_d = torch.autograd.grad(loss_d, list(models["dis"].parameters()), retain_graph=True)
    for opt in opts.values():
        opt.zero_grad()
    loss_g.backward()
    models["dis"].zero_grad()
    loss_d.backward()
    own["real"].append(r.mean().item())
    own["fake"].append(f.mean().item())
    own["d_norm"].append(torch.cat([g.flatten() for g in grads_d]).norm().item())
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in models["gen"].parameters()]).norm().item())
    opts["dis"].step()
    opts["gen"].step()
    print(i, loss_d.item(), loss_g.item())
torch.save({"g": models["gen"].state_dict(), "d": models["dis"].state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
