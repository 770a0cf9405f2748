"""D sees reals and fakes in one concatenated batch and is chunked afterwards; lazy R1 every fourth step in a pass of its own."""
import json
import sys

import torch
from torch import nn
from torch.nn.functional import softplus

torch.manual_seed(12)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(10, 32), nn.Linear(32, 1)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x))).flatten()


g, d = nn.Sequential(nn.Linear(5, 32), nn.GELU(), nn.Linear(32, 10)), Critic()
opt_d, opt_g = torch.optim.Adam(d.parameters(), 2e-3, (0.0, 0.99)), torch.optim.Adam(g.parameters(), 2e-3, (0.0, 0.99))
own = {"real": [], "fake": [], "g_norm": []}
for step in range(24):
    real = torch.randn(16, 10) + 0.5
    with torch.no_grad():
        fake = g(torch.randn(16, 5))
    real_out, fake_out = d(torch.cat([real, fake])).chunk(2)
    loss = softplus(-real_out).mean() + softplus(fake_out).mean()
    opt_d.zero_grad()
    loss.backward()
    own["real"].append(real_out.mean().item())
    own["fake"].append(fake_out.mean().item())
    opt_d.step()
    if step % 4 == 0:
        x = real.detach().requires_grad_(True)
        (grad,) = torch.autograd.grad(d(x).sum(), x, create_graph=True)
        penalty = 0.5 * grad.pow(2).sum(1).mean() * 4
        opt_d.zero_grad()
        penalty.backward()
        opt_d.step()
    loss_g = softplus(-d(g(torch.randn(16, 5)))).mean()
    opt_g.zero_grad()
    loss_g.backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in g.parameters()]).norm().item())
    opt_g.step()
    print(step, loss.item(), loss_g.item())
torch.save({"g": g.state_dict(), "d": d.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
