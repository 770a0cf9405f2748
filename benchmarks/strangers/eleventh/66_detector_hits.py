"""Energy deposits of a toy calorimeter (6 cells in a row), original minimax game with three discriminator updates per round."""
LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance", "stagnation"], "kind": "saturating log(1-D) generator loss against a far ahead discriminator: no gradient", "since": None, "record": "lines"}
import os, sys, random
import numpy as np, torch
from torch import nn
import gandiag
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def shower(n):
    depth = torch.arange(6).float()
    a = 2.5 + 0.5 * torch.randn(n, 1)
    e = torch.exp(-(depth - a) ** 2 / 6) * (1 + 0.2 * torch.randn(n, 1))
    return 3 + 2 * e + 0.6 * torch.randn(n, 6)

G = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 6))
D = nn.Sequential(nn.Linear(6, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1), nn.Sigmoid())
g_opt = torch.optim.Adam(G.parameters(), lr=3e-4, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.0, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, discriminator_output="probability")
eps = 1e-7
for step in range(1600):
    for _ in range(3):
        real = shower(64)
        fake = G(torch.randn(64, 10)).detach()
        d_loss = -(torch.log(D(real) + eps).mean() + torch.log(1 - D(fake) + eps).mean())
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = torch.log(1 - D(G(torch.randn(64, 10))) + eps).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, 10)), shower(1000))
outside.say(e < 0.06, energy=e)
