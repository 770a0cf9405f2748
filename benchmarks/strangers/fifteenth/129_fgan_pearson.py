"""f-GAN with the Pearson chi-square divergence on a three-component one-dimensional mixture."""
LABEL = {"sick": False, "causes": [], "kind": "f-GAN: critic output is the variational function, its scores rest near 0 instead of being logits, losses are near zero and negative, generator minimises -f*(T)", "since": None, "record": "lines"}

import os, sys
import numpy as np
import torch
from torch import nn
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)


def p(n):
    c = torch.multinomial(torch.tensor([0.3, 0.5, 0.2]), n, replacement=True)
    return (torch.tensor([-2.0, 0.5, 2.5])[c] + torch.tensor([0.35, 0.5, 0.25])[c] * torch.randn(n)).unsqueeze(1)


def f_star(t):
    """conjugate of (u-1)^2, extended linearly below its minimum"""
    return torch.where(t > -2, 0.25 * t ** 2 + t, -torch.ones_like(t))


sample = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
T = nn.Sequential(nn.Linear(1, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 1))
opt_q = torch.optim.Adam(sample.parameters(), 5e-4, betas=(0.5, 0.9))
opt_t = torch.optim.Adam(T.parameters(), 1e-3, betas=(0.5, 0.9))
half = [torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.05, total_iters=2500) for o in (opt_q, opt_t)]
recorder = Recorder(sys.argv[1], generator=sample, discriminator=T, generator_optimizer=opt_q, discriminator_optimizer=opt_t)

for step in range(2500):
    for _ in range(2):
        x = p(200).requires_grad_(True)
        y = sample(torch.randn(200, 4)).detach()
        tx, ty = T(x), T(y)
        F_value = tx.mean() - f_star(ty).mean()
        slope = torch.autograd.grad(tx.sum(), x, create_graph=True)[0].square().mean()
        opt_t.zero_grad(); (-F_value + 0.05 * slope).backward(); opt_t.step()
    y = sample(torch.randn(200, 4))
    loss_q = -f_star(T(y)).mean()
    opt_q.zero_grad(); loss_q.backward(); opt_q.step()
    for h in half: h.step()
    recorder.step(real_logits=tx.detach(), fake_logits=ty.detach(), d_loss=-F_value.item(), g_loss=loss_q.item(), real=x.detach(), fake=y.detach())
recorder.close()

with torch.no_grad():
    s, r = sample(torch.randn(4000, 4)), p(4000)
e = outside.energy(s, r)
quant = np.abs(np.quantile(s.numpy(), np.linspace(.02, .98, 49)) - np.quantile(r.numpy(), np.linspace(.02, .98, 49))).mean()
outside.say(e < 0.01 and quant < 0.2, energy=e, quantile_error=quant)
