"""Training GANs with optimism: a hand-written Optimistic Adam on the three-dimensional Swiss roll, hinge loss."""
LABEL = {"sick": False, "causes": [], "kind": "the optimizer is home-made (twice the new step less the last one), so the updates alternate in size and sign; hinge loss whose D part is often zero for many samples, and D gets a rate four times the generator's", "since": None, "record": "attach"}

import os
import numpy as np
import torch
from torch import nn
from sklearn.datasets import make_swiss_roll
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

roll, _ = make_swiss_roll(8000, noise=0.3, random_state=SEED)
roll = torch.tensor((roll - roll.mean(0)) / roll.std(0), dtype=torch.float32)


class OptimisticAdam(torch.optim.Optimizer):
    """w <- w - 2 lr u_t + lr u_(t-1), with u Adam's direction (Daskalakis et al. 2018)"""
    def __init__(self, params, lr=1e-3, betas=(0.5, 0.99), eps=1e-8):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                st = self.state[p]
                if not st:
                    st.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p), last=torch.zeros_like(p))
                st["t"] += 1
                st["m"].mul_(b1).add_(p.grad, alpha=1 - b1)
                st["v"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                u = (st["m"] / (1 - b1 ** st["t"])) / ((st["v"] / (1 - b2 ** st["t"])).sqrt() + group["eps"])
                p.add_(u, alpha=-2 * group["lr"]).add_(st["last"], alpha=group["lr"])
                st["last"].copy_(u)


class Net(nn.Module):
    def __init__(self, i, h, o):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(i, h), nn.Linear(h, h), nn.Linear(h, o)
        self.act = nn.LeakyReLU(0.2)

    def forward(self, x):
        return self.c(self.act(self.b(self.act(self.a(x)))))


G, D = Net(5, 96, 3), Net(3, 128, 1)
opt_G, opt_D = OptimisticAdam(G.parameters(), 2.5e-4), OptimisticAdam(D.parameters(), 1e-3)
B, N = 128, 2600

for n in range(N):
    decay = min(1.0, 2.2 * (1 - n / N))
    opt_G.param_groups[0]["lr"], opt_D.param_groups[0]["lr"] = 2.5e-4 * decay, 1e-3 * decay
    x = roll[torch.randint(len(roll), (B,))].requires_grad_(True)
    y = G(torch.randn(B, 5))
    dx, dy = D(x), D(y.detach())
    hinge = torch.relu(1 - dx).mean() + torch.relu(1 + dy).mean()
    slope = torch.autograd.grad(dx.sum(), x, create_graph=True)[0].square().sum(1).mean()
    opt_D.zero_grad()
    (hinge + 0.05 * slope).backward()
    opt_D.step()
    g = -D(y).mean()
    opt_G.zero_grad()
    g.backward()
    opt_G.step()
    if n % 500 == 0:
        print(n, hinge.item(), g.item())

with torch.no_grad():
    s = G(torch.randn(2000, 5))
e = outside.energy(s, roll[torch.randperm(len(roll))])
near = torch.cdist(s, roll).min(1).values.median().item()
outside.say(e < 0.012 and near < 0.2, energy=e, median_to_data=near)
