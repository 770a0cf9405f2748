"""A mode-regularised GAN: the generator is called on noise and on an encoder's codes, and D judges both."""
import json
import sys

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
G = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
E = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 4))
D = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1), nn.Sigmoid())
g_opt, e_opt, d_opt = (torch.optim.Adam(net.parameters(), 1e-3) for net in (G, E, D))
own = {"real": [], "fake": []}
ones, zeros = torch.ones(16, 1), torch.zeros(16, 1)
for step in range(20):
    x = torch.randn(16, 2) * 0.1 + 1
    d_opt.zero_grad()
    real, fake = D(x), D(G(torch.randn(16, 4)).detach())
    (F.binary_cross_entropy(real, ones) + F.binary_cross_entropy(fake, zeros)).backward()
    d_opt.step()
    g_opt.zero_grad()
    e_opt.zero_grad()
    rebuilt = G(E(x))
    loss = F.binary_cross_entropy(D(G(torch.randn(16, 4))), ones) + 0.2 * F.binary_cross_entropy(D(rebuilt), ones)
    (loss + 0.2 * F.mse_loss(rebuilt, x)).backward()
    g_opt.step()
    e_opt.step()
    own["real"].append(torch.logit(real).mean().item())
    own["fake"].append(torch.logit(fake).mean().item())
    print(step, loss.item())
torch.save({"g": G.state_dict(), "d": D.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
