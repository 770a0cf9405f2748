"""One Adam with two parameter groups steps both nets; whose turn it is shows in whose gradients are there."""
import json
import sys

import torch
from torch import nn
from torch.nn.functional import softplus

torch.manual_seed(11)
gen, dis = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 2)), nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 1))
opt = torch.optim.Adam([{"params": gen.parameters(), "lr": 1e-3}, {"params": dis.parameters(), "lr": 2e-3}], betas=(0.0, 0.99))
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}


def only(net, other):
    for p in net.parameters():
        p.requires_grad_(True)
    for p in other.parameters():
        p.requires_grad_(False)
        p.grad = None


for it in range(20):
    x = torch.randn(32, 2) * 0.2 + 1
    only(dis, gen)
    opt.zero_grad(set_to_none=True)
    r, f = dis(x), dis(gen(torch.randn(32, 4)))
    loss_d = softplus(-r).mean() + softplus(f).mean()
    loss_d.backward()
    own["real"].append(r.mean().item())
    own["fake"].append(f.mean().item())
    own["d_norm"].append(torch.cat([p.grad.flatten() for p in dis.parameters()]).norm().item())
    opt.step()
    only(gen, dis)
    opt.zero_grad(set_to_none=True)
    loss_g = softplus(-dis(gen(torch.randn(32, 4)))).mean()
    loss_g.backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in gen.parameters()]).norm().item())
    opt.step()
    print(f"{it:3d} {loss_d.item():.5f} {loss_g.item():.5f}")
torch.save({"g": gen.state_dict(), "d": dis.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
