"""Beam monitor hits on eight pads, an alternating GAN with several inner steps as our lab's old Keras script had it."""
import os, random, sys
import numpy as np, torch
from torch import nn
import outside

LABEL = {"sick": True, "causes": ["mode_collapse", "oscillation", "objective_fault", "mode_dropping"], "kind": "inner-step counts swapped: the generator takes ten steps for each discriminator step", "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

angle = torch.arange(8) * (2 * np.pi / 8)
PADS = 2.0 * torch.stack([angle.cos(), angle.sin()], 1)
INNER = {"D": 1, "G": 10}
ROUNDS = 600


def hits(n):
    return PADS[torch.randint(0, 8, (n,))] + 0.08 * torch.randn(n, 2)


def block(i, o, act):
    return nn.Sequential(nn.Linear(i, o), act)


def build():
    g = nn.Sequential(block(8, 128, nn.ReLU()), block(128, 128, nn.ReLU()), nn.Linear(128, 2))
    d = nn.Sequential(block(2, 128, nn.LeakyReLU(0.2)), block(128, 128, nn.LeakyReLU(0.2)), nn.Linear(128, 1), nn.Sigmoid())
    return g, d


def train():
    g, d = build()
    adam = lambda net: torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.9))
    og, od = adam(g), adam(d)
    bce, B = nn.BCELoss(), 256
    for r in range(ROUNDS):
        for _ in range(INNER["D"]):
            x, f = hits(B), g(torch.randn(B, 8)).detach()
            ld = bce(d(x), torch.ones(B, 1)) + bce(d(f), torch.zeros(B, 1))
            od.zero_grad(); ld.backward(); od.step()
        for _ in range(INNER["G"]):
            lg = bce(d(g(torch.randn(B, 8))), torch.ones(B, 1))
            og.zero_grad(); lg.backward(); og.step()
        if r % 50 == 0:
            print("round", r, ld.item(), lg.item())
    return g


G = train()
with torch.no_grad():
    s = G(torch.randn(1000, 8))
m, near = outside.modes(s, PADS, 0.4)
e = outside.energy(s, hits(1000))
outside.say(m >= 7 and near > 0.6 and e < 0.1, modes=m, near=near, energy=e)
