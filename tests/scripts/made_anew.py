"""Both optimizers are made inside the loop, before each update: somebody's first GAN."""
import json
import sys

import torch
from torch import nn

torch.manual_seed(4)
G = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))
D = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
bce = nn.BCEWithLogitsLoss()
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}


def norm(net):
    return torch.cat([p.grad.flatten() for p in net.parameters()]).norm().item()


for it in range(40):
    opt_d = torch.optim.Adam(D.parameters(), lr=1e-3)
    opt_g = torch.optim.Adam(G.parameters(), lr=1e-3)
    x = torch.randn(32, 2) * 0.1 + torch.tensor([1.0, 0.0])
    fake = G(torch.randn(32, 8))
    real_out, fake_out = D(x), D(fake.detach())
    d_loss = bce(real_out, torch.ones(32, 1)) + bce(fake_out, torch.zeros(32, 1))
    opt_d.zero_grad()
    d_loss.backward()
    own["real"].append(real_out.mean().item())
    own["fake"].append(fake_out.mean().item())
    own["d_norm"].append(norm(D))
    opt_d.step()
    g_loss = bce(D(fake), torch.ones(32, 1))
    opt_g.zero_grad()
    g_loss.backward()
    own["g_norm"].append(norm(G))
    opt_g.step()

print("done", g_loss.item())
torch.save({"g": G.state_dict(), "d": D.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
