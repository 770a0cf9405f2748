"""Ring GAN with cosine warm restarts, trying out SGDR for adversarial nets (relativistic average loss)."""
LABEL = {"sick": False, "causes": [], "kind": "relativistic average GAN with cosine warm restarts, the losses jump at each restart", "since": None, "record": "lines"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

angles = torch.arange(6) * (2 * np.pi / 6)
C = torch.stack([torch.cos(angles), torch.sin(angles)], 1) * 1.5
def real_batch(n): return C[torch.randint(6, (n,))] + 0.12 * torch.randn(n, 2)

G = nn.Sequential(nn.Linear(8, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
D = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=1.5e-3, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=1.5e-3, betas=(0.5, 0.999))
schedulers = [CosineAnnealingWarmRestarts(o, T_0=800, eta_min=1e-5) for o in (g_opt, d_opt)]
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for i in range(4000):
    x, f = real_batch(192), G(torch.randn(192, 8))
    cr, cf = D(x), D(f.detach())
    d_loss = F.softplus(-(cr - cf.mean())).mean() + F.softplus(cf - cr.mean()).mean()
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    cr, cf = D(x).detach(), D(f)
    g_loss = F.softplus(-(cf - cr.mean())).mean() + F.softplus(cr - cf.mean()).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    for s in schedulers: s.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    s = G(torch.randn(1000, 8))
m, near = outside.modes(s, C, 0.4)
e = outside.energy(s, real_batch(1000))
outside.say(m == 6 and near > 0.75 and e < 0.02, modes=m, near=near, energy=e)
