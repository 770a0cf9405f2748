"""BiGAN on points whose coordinates pass for uniform noise: the encoder is fed what looks like a latent, too."""
import json
import sys
from itertools import chain

import torch
from torch import nn
from torch.nn.functional import softplus

torch.manual_seed(11)


class JointD(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2 + 2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))

    def forward(self, code, x):
        return self.net(torch.cat([code, x], 1)).squeeze(1)


G = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
E = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
D = JointD()
opt_ge = torch.optim.Adam(chain(G.parameters(), E.parameters()), 1e-3)
opt_d = torch.optim.Adam(D.parameters(), 1e-3)
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for step in range(16):
    angle = torch.rand(32) * 6.2832
    x, z = torch.stack([angle.cos(), angle.sin()], 1) * 2, torch.randn(32, 2)
    code, made = E(x), G(z)
    on_real, on_fake = D(code.detach(), x), D(z, made.detach())
    d_loss = softplus(-on_real).mean() + softplus(on_fake).mean()
    opt_d.zero_grad()
    d_loss.backward()
    own["real"].append(on_real.mean().item())
    own["fake"].append(on_fake.mean().item())
    own["d_norm"].append(torch.cat([p.grad.flatten() for p in D.parameters()]).norm().item())
    opt_d.step()
    opt_ge.zero_grad()
    (softplus(-D(z, made)).mean() + softplus(D(code, x)).mean()).backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in G.parameters()]).norm().item())
    opt_ge.step()
    print(step, d_loss.item())
torch.save({"g": G.state_dict(), "d": D.state_dict(), "e": E.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
