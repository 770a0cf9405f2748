"""A 4x4 grid of Gaussians, generator updated several times per discriminator update because 'G loss was too high'."""
LABEL = {"sick": True, "causes": ["mode_collapse", "mode_dropping", "oscillation", "discriminator_weakness"], "kind": "ten generator steps for each discriminator step: the generator runs to whatever point the stale discriminator likes and collapses, hopping between spots", "since": 0, "record": "automatic"}

import os, sys
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

G_STEPS = 10
D_STEPS = 1
ROUNDS = 320
BATCH = 128
side = torch.linspace(-2, 2, 4)
centres = torch.cartesian_prod(side, side)


def batch(n=BATCH):
    return centres[torch.randint(16, (n,))] + 0.08 * torch.randn(n, 2)


def net(i, o):
    return nn.Sequential(nn.Linear(i, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, o))


G, D = net(8, 2), net(2, 1)
opt_g = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.999))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)

for rnd in range(ROUNDS):
    for _ in range(D_STEPS):
        x = batch().requires_grad_(True)
        y = G(torch.randn(BATCH, 8)).detach()
        r = D(x)
        loss_d = F.softplus(-r).mean() + F.softplus(D(y)).mean()
        slope, = torch.autograd.grad(r.sum(), x, create_graph=True)
        opt_d.zero_grad()
        (loss_d + 0.02 * slope.square().sum(1).mean()).backward()
        opt_d.step()
    for _ in range(G_STEPS):
        loss_g = F.softplus(-D(G(torch.randn(BATCH, 8)))).mean()
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
recorder.close()

with torch.no_grad():
    s = G(torch.randn(2000, 8))
n, near = outside.modes(s, centres, 0.4)
e = outside.energy(s, batch(2000))
outside.say(n >= 15 and near > 0.7 and e < 0.02, energy=e, modes=n, near=near)
