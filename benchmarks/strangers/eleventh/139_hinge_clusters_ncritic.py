"""Hinge GAN on a 3x3 grid of clusters with several critic updates per generator update (n_critic = 8)."""
LABEL = {"sick": True, "causes": ["mode_collapse", "objective_fault", "oscillation", "discriminator_weakness"], "kind": "n_critic the wrong way round: D is updated once per 8 generator updates, G collapses and hops", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

centres = torch.tensor([[i, j] for i in range(-1, 2) for j in range(-1, 2)]).float() * 1.5

def real_batch(n):
    return centres[torch.randint(0, 9, (n,))] + 0.1 * torch.randn(n, 2)

def mlp(i, o, h=128):
    return nn.Sequential(nn.Linear(i, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, o))

G, D = mlp(8, 2), mlp(2, 1)
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
n_critic = 8
d_loss = torch.zeros(())
for it in range(3000):
    if it % n_critic == 0:
        with torch.no_grad():
            fake = G(torch.randn(200, 8))
        d_loss = torch.relu(1 - D(real_batch(200))).mean() + torch.relu(1 + D(fake)).mean()
        d_opt.zero_grad()
        d_loss.backward()
        d_opt.step()
    g_loss = -D(G(torch.randn(200, 8))).mean()
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    s = G(torch.randn(1000, 8))
m, near = outside.modes(s, centres, 0.4)
e = outside.energy(s, real_batch(1000))
outside.say(m >= 8 and e < 0.05, modes=m, near=near, energy=e)
