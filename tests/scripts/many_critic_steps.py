"""WGAN as its authors ran it: a hundred critic updates for each of the first generator's, later five; the code beside the noise."""
import json
import sys

import torch
from torch import nn

torch.manual_seed(38)
netG = nn.Sequential(nn.Linear(6 + 4, 24), nn.ReLU(), nn.Linear(24, 5))
netC = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 1))
optG, optC = torch.optim.RMSprop(netG.parameters(), 5e-5), torch.optim.RMSprop(netC.parameters(), 5e-5)


def noise(n):
    code = torch.eye(4)[torch.randint(0, 4, (n,))]
    return torch.cat([torch.randn(n, 6), code], 1)


own = {"g_norm": []}
for gen_iteration in range(14):
    for _ in range(100 if gen_iteration < 3 else 5):
        for p in netC.parameters():
            p.data.clamp_(-0.1, 0.1)
        optC.zero_grad()
        loss_c = netC(netG(noise(16)).detach()).mean() - netC(torch.randn(16, 5)).mean()
        loss_c.backward()
        optC.step()
    optG.zero_grad()
    loss_g = -netC(netG(noise(16))).mean()
    loss_g.backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in netG.parameters()]).norm().item())
    optG.step()
    print(gen_iteration, loss_c.item(), loss_g.item())
torch.save({"g": netG.state_dict(), "c": netC.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
