"""Assignment 4: GAN on a ring of eight modes; the sheet says to train the generator until it fools D, so ten G steps each time."""
LABEL = {"sick": True, "causes": ["mode_collapse", "oscillation", "objective_fault", "discriminator_weakness"], "kind": "ten generator updates for one discriminator update: all mass on one place that hops around", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

G_STEPS = 10
TOTAL = 4000
a = np.linspace(0, 2 * np.pi, 9)[:-1]
centres = 2 * np.c_[np.cos(a), np.sin(a)]
def real_data(n=128):
    return torch.tensor(centres[np.random.choice(8, n)] + 0.15 * np.random.randn(n, 2), dtype=torch.float32)

def net(i, o):
    return nn.Sequential(nn.Linear(i, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, o))

G, D = net(10, 2), net(2, 1)
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
loss = nn.BCEWithLogitsLoss()
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
one, zero = torch.ones(128, 1), torch.zeros(128, 1)
for i in range(TOTAL):
    if i % G_STEPS == 0:
        x = real_data().requires_grad_(True)
        p_real = D(x)
        slope, = torch.autograd.grad(p_real.sum(), x, create_graph=True)
        d_loss = loss(p_real, one) + 0.1 * slope.pow(2).sum(1).mean() + loss(D(G(torch.randn(128, 10)).detach()), zero)
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = loss(D(G(torch.randn(128, 10))), one)
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    s = G(torch.randn(1000, 10))
m, near = outside.modes(s, centres, 0.5)
e = outside.energy(s, real_data(1000))
outside.say(m >= 7 and near > 0.7 and e < 0.03, modes=m, near=near, energy=e)
