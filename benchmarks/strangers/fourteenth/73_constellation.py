"""Receiver-side 16-QAM symbols with phase noise, hinge loss, warm restarts and an averaged generator."""
LABEL = {"sick": False, "causes": [], "kind": "cosine warm restarts throw the losses back every 500 steps; the averaged generator, which is what is used, covers the constellation", "since": None, "record": "automatic"}
import copy, os, random, sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts
from gandiag.recording import Recorder
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

LEVELS = torch.tensor([-3., -1., 1., 3.]) / 3
POINTS = torch.cartesian_prod(LEVELS, LEVELS)


def receive(n):
    s = POINTS[torch.randint(0, 16, (n,))]
    phi = 0.05 * torch.randn(n)
    c, si = torch.cos(phi), torch.sin(phi)
    rot = torch.stack([s[:, 0] * c - s[:, 1] * si, s[:, 0] * si + s[:, 1] * c], 1)
    return rot + 0.06 * torch.randn(n, 2)


class FourierFeatures(nn.Module):
    """a few fixed sines, so that the judge sees the grid"""
    def __init__(self):
        super().__init__()
        self.register_buffer("w", torch.tensor([1., 2., 3., 4.]))

    def forward(self, x):
        a = (x[:, :, None] * self.w * 1.5).flatten(1)
        return torch.cat([x, torch.sin(a), torch.cos(a)], 1)


G = nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
D = nn.Sequential(FourierFeatures(), nn.Linear(18, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
ema = copy.deepcopy(G).requires_grad_(False)
opt_g = torch.optim.Adam(G.parameters(), lr=1.5e-3, betas=(0.0, 0.99))
opt_d = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.0, 0.99))
sch = [CosineAnnealingWarmRestarts(o, T_0=500, eta_min=2e-5) for o in (opt_g, opt_d)]
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)

B = 128
for step in range(3000):
    x, z = receive(B), torch.randn(B, 4)
    with torch.no_grad():
        y = G(z)
    x.requires_grad_(True)
    r = D(x)
    steep, = torch.autograd.grad(r.sum(), x, create_graph=True)
    loss_d = F.relu(1 - r).mean() + F.relu(1 + D(y)).mean() + 0.01 * steep.pow(2).sum(1).mean()
    opt_d.zero_grad(set_to_none=True)
    loss_d.backward()
    opt_d.step()

    loss_g = -D(G(z)).mean()
    opt_g.zero_grad(set_to_none=True)
    loss_g.backward()
    opt_g.step()
    for s in sch:
        s.step()
    with torch.no_grad():
        for a, b in zip(ema.parameters(), G.parameters()):
            a.lerp_(b, 0.02)
    if step % 500 == 0:
        print(f"{step:5d} lr {sch[0].get_last_lr()[0]:.1e} D {loss_d.item():.3f} G {loss_g.item():+.3f}")
recorder.close()

with torch.no_grad():
    made = ema(torch.randn(1000, 4))
fresh = receive(1000)
e = outside.energy(made, fresh)
n, near = outside.modes(made, POINTS, 0.25)
outside.say(n >= 14 and near > 0.6 and e < 0.03, modes=n, near=near, energy=e)
