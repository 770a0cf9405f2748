"""DiffAugment-style: D sees augmented reals and augmented fakes, never the tensors that the generator made."""
import json
import sys

import torch
from torch import nn
from torch.nn.functional import softplus

torch.manual_seed(18)


def augment(x):
    x = x + (torch.rand(x.size(0), 1, 1, 1) - 0.5) * 0.2
    return torch.roll(x, shifts=(int(torch.randint(-1, 2, ())),), dims=(3,))


g = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
d = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(128, 1))
og, od = torch.optim.Adam(g.parameters(), 2e-4, (0.5, 0.999)), torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.999))
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for i in range(20):
    x = torch.tanh(torch.randn(16, 1, 8, 8))
    fake = g(torch.randn(16, 8))
    real_out, fake_out = d(augment(x)), d(augment(fake.detach()))
    loss = softplus(-real_out).mean() + softplus(fake_out).mean()
    od.zero_grad()
    loss.backward()
    own["real"].append(real_out.mean().item())
    own["fake"].append(fake_out.mean().item())
    own["d_norm"].append(torch.cat([p.grad.flatten() for p in d.parameters()]).norm().item())
    od.step()
    lg = softplus(-d(augment(fake))).mean()
    og.zero_grad()
    lg.backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in g.parameters()]).norm().item())
    og.step()
    print(i, loss.item(), lg.item())
torch.save({"g": g.state_dict(), "d": d.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
