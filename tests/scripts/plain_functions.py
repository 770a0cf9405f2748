"""A GAN whose networks are plain functions of tensors: there is no module to be watched."""
import sys

import torch
from torch.nn.functional import softplus

torch.manual_seed(41)
theta_g = [torch.randn(3, 2).mul_(0.5).requires_grad_(), torch.zeros(2, requires_grad=True)]
theta_d = [torch.randn(2, 1).mul_(0.5).requires_grad_()]


def g(z):
    return torch.tanh(z @ theta_g[0] + theta_g[1])


def d(x):
    return x @ theta_d[0]


opt_g, opt_d = torch.optim.SGD(theta_g, 0.1), torch.optim.SGD(theta_d, 0.1)
for step in range(6):
    opt_d.zero_grad()
    (softplus(-d(torch.rand(8, 2))).mean() + softplus(d(g(torch.randn(8, 3)).detach())).mean()).backward()
    opt_d.step()
    opt_g.zero_grad()
    softplus(-d(g(torch.randn(8, 3)))).mean().backward()
    opt_g.step()
torch.save({"g": dict(enumerate(theta_g)), "d": dict(enumerate(theta_d))}, sys.argv[1])
