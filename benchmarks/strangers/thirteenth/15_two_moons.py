"""Relativistic average GAN on the moons with cosine warm restarts: learning rate back up and fresh Adam moments every 800 iterations."""
LABEL = {"sick": False, "causes": [], "kind": "healthy: optimizer restarts, losses jump and then settle", "since": None, "record": "lines"}
import os, random, sys
import numpy as np, torch, torch.nn as nn
from sklearn.datasets import make_moons
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def moons(n, s):
    return torch.tensor((make_moons(n, noise=.05, random_state=s)[0] - [.5, .25]) * 1.3, dtype=torch.float32)


X = moons(5000, 0)
G = nn.Sequential(nn.Linear(6, 128), nn.GELU(), nn.Linear(128, 128), nn.GELU(), nn.Linear(128, 2))
D = nn.Sequential(nn.Linear(2, 128), nn.GELU(), nn.Linear(128, 128), nn.GELU(), nn.Linear(128, 1))
g_opt = torch.optim.Adam(G.parameters(), 8e-4, betas=(.5, .95))
d_opt = torch.optim.Adam(D.parameters(), 8e-4, betas=(.5, .95))
g_sch, d_sch = (CosineAnnealingWarmRestarts(o, T_0=800, eta_min=2e-5) for o in (g_opt, d_opt))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
bce = nn.BCEWithLogitsLoss()

for it in range(3200):
    if it and it % 800 == 0:
        g_opt.state.clear(); d_opt.state.clear()
    real = X[torch.randint(5000, (128,))].requires_grad_()
    fake = G(torch.randn(128, 6))
    one, zero = torch.ones(128, 1), torch.zeros(128, 1)
    r, f = D(real), D(fake.detach())
    slope = torch.autograd.grad(r.sum(), real, create_graph=True)[0].pow(2).sum(1).mean()
    d_loss = (bce(r - f.mean(), one) + bce(f - r.mean(), zero)) / 2 + .1 * slope
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    r, f = D(real.detach()).detach(), D(fake)
    g_loss = (bce(f - r.mean(), one) + bce(r - f.mean(), zero)) / 2
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    g_sch.step(); d_sch.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
    if it % 400 == 0:
        print(it, f"{d_loss.item():.3f} {g_loss.item():.3f} lr {g_sch.get_last_lr()[0]:.1e}")
rec.close()

with torch.no_grad():
    out = G(torch.randn(1000, 6))
T = moons(2000, 1)
e, off = outside.energy(out, T[torch.randperm(2000)]), float((torch.cdist(out, T).min(1).values > .15).float().mean())
outside.say(e < .02 and off < .12, energy=e, off_share=off)
