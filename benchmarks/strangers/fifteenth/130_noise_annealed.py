"""Instance noise annealed to zero, momentum SGD for the discriminator, and an averaged generator that is the one shipped: a noisy circle with a gap."""
LABEL = {"sick": False, "causes": [], "kind": "three phases: strong instance noise makes D weak at first (losses at chance), the noise fades and D grows stronger; different optimizers for the nets, the EMA copy is the product", "since": None, "record": "attach"}

import copy, math, os
import torch
from torch import nn
import torch.nn.functional as F
import outside

SEED = int(os.environ.get("SEED", "0"))
gen_rng = torch.Generator().manual_seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


def arc(n):
    t = torch.rand(n, generator=gen_rng) * 1.6 * math.pi
    return torch.stack([t.cos(), t.sin()], 1) * 1.2 + 0.15 * torch.randn(n, 2, generator=gen_rng)


G = nn.Sequential(nn.Linear(6, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 96), nn.LeakyReLU(0.1), nn.Linear(96, 96), nn.LeakyReLU(0.1), nn.Linear(96, 1))
ema = copy.deepcopy(G).requires_grad_(False)
og = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.0, 0.99))
od = torch.optim.SGD(D.parameters(), lr=0.05, momentum=0.5)
TOTAL, B = 4000, 128


def sigma(i):
    return max(0.0, 1.0 * (1 - i / (0.4 * TOTAL))) ** 1.5


for i in range(TOTAL):
    s = sigma(i)
    x = arc(B); x = (x + s * torch.randn_like(x)).requires_grad_(True)
    fake = G(torch.randn(B, 6))
    y = fake.detach() + s * torch.randn(B, 2)
    dx = D(x)
    loss_d = F.softplus(-dx).mean() + F.softplus(D(y)).mean()
    grad, = torch.autograd.grad(dx.sum(), x, create_graph=True)
    od.zero_grad()
    (loss_d + 0.02 * grad.square().sum(1).mean()).backward()
    od.step()
    loss_g = F.softplus(-D(fake + s * torch.randn(B, 2))).mean()
    og.zero_grad()
    loss_g.backward()
    og.step()
    rate = min(0.99, i / (i + 20))
    with torch.no_grad():
        for a, b in zip(ema.parameters(), G.parameters()):
            a.lerp_(b, 1 - rate)
    if i % 500 == 0:
        print(i, f"noise {s:.2f} d {loss_d.item():.3f} g {loss_g.item():.3f}")

with torch.no_grad():
    out, raw = ema(torch.randn(2000, 6)), G(torch.randn(2000, 6))
e, e_raw = outside.energy(out, arc(2000)), outside.energy(raw, arc(2000))
radius = (out.norm(dim=1).std() / arc(2000).norm(dim=1).std()).item()
outside.say(e < 0.015 and e_raw < 0.03 and 0.5 < radius < 1.6, energy=e, energy_raw=e_raw, radial_spread=radius)
