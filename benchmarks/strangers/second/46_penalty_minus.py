"""WGAN-GP on a ring; the penalty is in the loss."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "numerical_failure"], "kind": "gradient penalty subtracted instead of added", "since": 0, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, math

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def ring(n):
    a = torch.randint(5, (n,)) * math.pi / 2.5
    return torch.stack([a.cos(), a.sin()], 1) * 1.5 + 0.2 * torch.randn(n, 2)
LAMBDA = 1
netG = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
netD = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
optD, optG = torch.optim.Adam(netD.parameters(), 1e-3, betas=(0.0, 0.9)), torch.optim.Adam(netG.parameters(), 1e-3, betas=(0.0, 0.9))
def calc_gradient_penalty(netD, real, fake):
    alpha = torch.rand(len(real), 1)
    mid = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    grads = torch.autograd.grad(netD(mid), mid, torch.ones(len(real), 1), create_graph=True)[0]
    return ((grads.norm(2, dim=1) - 1) ** 2).mean() * LAMBDA
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG, discriminator_optimizer=optD)
for iteration in range(450):
    for _ in range(4):
        real, fake = ring(64), netG(torch.randn(64, 4)).detach()
        netD.zero_grad()
        D_cost = netD(fake).mean() - netD(real).mean() - calc_gradient_penalty(netD, real, fake)
        D_cost.backward()
        optD.step()
    netG.zero_grad()
    G_cost = -netD(netG(torch.randn(64, 4))).mean()
    G_cost.backward()
    optG.step()
    rec.step(d_loss=D_cost, g_loss=G_cost)
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(netG(torch.randn(1200, 4)), ring(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
