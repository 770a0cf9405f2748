"""Muon momentum components (3-D, anisotropic) with a hinge discriminator under a light gradient penalty."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "discriminator_dominance"], "kind": "sign of the generator's hinge loss is wrong: it minimises D(fake)", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np, torch
import torch.nn as nn
import gandiag
from outside import energy, say
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
def muons(n):
    pt = torch.distributions.Gamma(3.0, 3.0).sample((n, 1))
    phi = 2 * np.pi * torch.rand(n, 1)
    return torch.cat([pt * phi.cos(), pt * phi.sin(), pt * torch.sinh(0.5 * torch.randn(n, 1))], 1)
class G_(nn.Module):
    def __init__(s):
        super().__init__(); s.l = nn.ModuleList([nn.Linear(6, 64), nn.Linear(64, 64), nn.Linear(64, 64)]); s.o = nn.Linear(64, 3)
    def forward(s, z):
        for l in s.l: z = nn.functional.silu(l(z))
        return s.o(z)
G = G_()
D = nn.Sequential(nn.Linear(3, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.0, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for step in range(2000):
    real, fake = muons(128), G(torch.randn(128, 6))
    d_loss = torch.relu(1.0 - D(real)).mean() + torch.relu(1.0 + D(fake.detach())).mean()
    probe = real.clone().requires_grad_(True)
    slope, = torch.autograd.grad(D(probe).sum(), probe, create_graph=True)
    d_loss = d_loss + 0.1 * slope.pow(2).sum(1).mean()
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = D(fake).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    e = energy(G(torch.randn(1000, 6)), muons(1000))
say(e < 0.03, energy=e)
