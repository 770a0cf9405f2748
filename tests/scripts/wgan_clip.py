"""WGAN with weight clipping: RMSprop, five critic updates to one of the generator, the data used in place through .data."""
import json
import sys

import torch
from torch import nn

torch.manual_seed(2)
G = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))
C = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
opt_g = torch.optim.RMSprop(G.parameters(), lr=5e-4)
opt_c = torch.optim.RMSprop(C.parameters(), lr=5e-4)
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
one, mone = torch.tensor(1.0), torch.tensor(-1.0)
for it in range(20):
    for p in C.parameters():
        p.requires_grad = True
    for _ in range(5):
        for p in C.parameters():
            p.data.clamp_(-0.1, 0.1)
        C.zero_grad()
        x = torch.randn(32, 2) * 0.1 + torch.tensor([1.0, 0.0])
        errD_real = C(x).mean()
        errD_real.backward(mone)
        fake = G(torch.randn(32, 8)).data
        inputv = fake
        errD_fake = C(inputv).mean()
        errD_fake.backward(one)
        d_norm = torch.cat([p.grad.flatten() for p in C.parameters()]).norm().item()
        opt_c.step()
    own["real"].append(errD_real.item())
    own["fake"].append(errD_fake.item())
    own["d_norm"].append(d_norm)
    for p in C.parameters():
        p.requires_grad = False
    G.zero_grad()
    errG = C(G(torch.randn(32, 8))).mean()
    errG.backward(mone)
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in G.parameters()]).norm().item())
    opt_g.step()
    print("it", it, "W", (errD_real - errD_fake).item())
torch.save({"g": G.state_dict(), "d": C.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
