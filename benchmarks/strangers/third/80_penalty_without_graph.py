"""A correlated six-column table by WGAN-GP, single-file script."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "discriminator_dominance"], "kind": "the penalty's gradient is detached (.data): the critic pays nothing and grows without bound", "since": 0, "record": "attach"}
import json, os
import torch
from torch import nn, autograd

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
COV = torch.randn(6, 6, generator=torch.Generator().manual_seed(11)) / 2


def rows(n):
    z = torch.randn(n, 6)
    return torch.where(torch.rand(n, 1) < 0.4, z @ COV + 1.5, (z @ COV.T) * 0.6 - 1)


def calc_penalty(netC, real, fake):
    alpha = torch.rand(real.size(0), 1).expand_as(real)
    inter = autograd.Variable(alpha * real.data + (1 - alpha) * fake.data, requires_grad=True)
    out = netC(inter)
    grads = autograd.grad(out, inter, grad_outputs=torch.ones_like(out), create_graph=True)[0]
    return ((grads.data.norm(2, dim=1) - 1) ** 2).mean() * 10


netG = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 6))
netC = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
optG = torch.optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.9))
optC = torch.optim.Adam(netC.parameters(), lr=1e-3, betas=(0.5, 0.9))
for it in range(400):
    for _ in range(3):
        real, fake = rows(128), netG(torch.randn(128, 10)).detach()
        optC.zero_grad()
        lossC = netC(fake).mean() - netC(real).mean() + calc_penalty(netC, real, fake)
        lossC.backward()
        optC.step()
    optG.zero_grad()
    lossG = -netC(netG(torch.randn(128, 10))).mean()
    lossG.backward()
    optG.step()
    if it % 100 == 0:
        print(it, lossC.item(), lossG.item())
with torch.no_grad():
    s, r = netG(torch.randn(1000, 10)), rows(1000)
e = float((2 * torch.cdist(s, r).mean() - torch.cdist(s, s).mean() - torch.cdist(r, r).mean()) / torch.cdist(r, r).mean())
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
