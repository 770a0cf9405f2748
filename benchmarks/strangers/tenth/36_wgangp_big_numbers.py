"""WGAN-GP on a 3-D spring curve measured in millimetres (a lab's sensor calibration data)."""
LABEL = {"sick": False, "causes": [], "kind": "data in units of tens, critic loss is large, negative and noisy and G's loss drifts far from zero", "since": None, "record": "lines"}
import os, sys, random, math
import numpy as np
import torch
from torch import nn, autograd
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

UNIT = 20.0


def spring(n):
    t = torch.rand(n) * 2 - 1
    p = torch.stack([torch.cos(math.pi * t), torch.sin(math.pi * t), t], 1)
    return UNIT * (p + 0.05 * torch.randn(n, 3))


class Scaled(nn.Module):
    """net on normalised coordinates, millimetres outside"""
    def __init__(self, net, before=1.0, after=1.0):
        super().__init__()
        self.net, self.before, self.after = net, before, after

    def forward(self, x):
        return self.net(x * self.before) * self.after


def tower(i, o, w=64):
    return nn.Sequential(nn.Linear(i, w), nn.Mish(), nn.Linear(w, w), nn.Mish(), nn.Linear(w, o))


gen = Scaled(tower(6, 3), after=UNIT)
critic = Scaled(tower(3, 1), before=1 / UNIT, after=UNIT)
og = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.0, 0.9))
oc = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.0, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=critic, generator_optimizer=og, discriminator_optimizer=oc)
B = 100
for it in range(750):
    for _ in range(3):
        x, f = spring(B), gen(torch.randn(B, 6)).detach()
        u = torch.rand(B, 1)
        m = (u * x + (1 - u) * f).requires_grad_()
        g, = autograd.grad(critic(m).sum(), m, create_graph=True)
        lc = critic(f).mean() - critic(x).mean() + 0.3 * UNIT * ((g.norm(dim=1) - 1) ** 2).mean()
        oc.zero_grad(); lc.backward(); oc.step()
    lg = -critic(gen(torch.randn(B, 6))).mean()
    og.zero_grad(); lg.backward(); og.step()
    rec.step(d_loss=lc, g_loss=lg)
    if it % 250 == 0:
        print(it, lc.item(), lg.item())
rec.close()
with torch.no_grad():
    y = gen(torch.randn(1000, 6))
e = outside.energy(y, spring(1000))
outside.say(e < 0.04, energy=e)
