"""The functional way: the networks are only forms, their parameters live in dicts of the script's own."""
import sys

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import softplus

torch.manual_seed(0)
G, D = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2)), nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
g_params, d_params = ({k: v.detach().clone().requires_grad_() for k, v in net.named_parameters()} for net in (G, D))
g_opt, d_opt = torch.optim.Adam(g_params.values(), 1e-3), torch.optim.Adam(d_params.values(), 1e-3)
for step in range(20):
    made = functional_call(G, g_params, (torch.randn(16, 4),))
    d_opt.zero_grad()
    loss = softplus(-functional_call(D, d_params, (torch.randn(16, 2),))).mean()
    (loss + softplus(functional_call(D, d_params, (made.detach(),))).mean()).backward()
    d_opt.step()
    g_opt.zero_grad()
    softplus(-functional_call(D, d_params, (made,))).mean().backward()
    g_opt.step()
    print(step, loss.item())
torch.save({"g": g_params, "d": d_params}, sys.argv[1])
