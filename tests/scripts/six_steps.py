"""A script that ends after six steps; StyleGAN-like calls: a list of latents, a step number and a blending weight."""
import json
import sys

import torch
from torch import nn
from torch.nn.functional import softplus

torch.manual_seed(40)


class StyledG(nn.Module):
    def __init__(self):
        super().__init__()
        self.style = nn.Sequential(nn.Linear(6, 16), nn.LeakyReLU(0.2))
        self.synthesis = nn.Linear(16, 12)

    def forward(self, styles, *, step, alpha=1.0, noise=None):
        w = sum(self.style(s) for s in styles) / len(styles)
        return alpha * self.synthesis(w) + 0 * step, w


G, D = StyledG(), nn.Sequential(nn.Linear(12, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))
g_opt, d_opt = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)
own = {}
for i in range(6):
    real = torch.randn(48, 12)
    fake, _ = G([torch.randn(48, 6)], step=3, alpha=0.7)
    d_opt.zero_grad()
    (softplus(-D(real)).mean() + softplus(D(fake.detach())).mean()).backward()
    d_opt.step()
    fake, _ = G([torch.randn(48, 6)], step=3, alpha=0.7)
    g_opt.zero_grad()
    softplus(-D(fake)).mean().backward()
    g_opt.step()
    print(i)
torch.save({"g": G.state_dict(), "d": D.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
