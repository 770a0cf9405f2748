"""Road-mark glyphs (arrows, crosses, rings) with a relativistic average GAN and warm restarts."""
LABEL = {"sick": False, "causes": [], "kind": "relativistic logits have no absolute meaning and the learning rate jumps up at each warm restart", "since": None, "record": "automatic"}
import os, sys, random
import numpy as np
import torch, torch.nn as nn
import torch.nn.functional as F
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts
import outside
from gandiag.recording import Recorder
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

TEMPLATES = """
...##... #.....#. ..####..
..####.. .#...#.. .#....#.
.##..##. ..#.#... #......#
##....## ...#.... #......#
...##... ..#.#... #......#
...##... .#...#.. #......#
...##... #.....#. .#....#.
...##... ........ ..####..
"""
rows = [r.split() for r in TEMPLATES.strip().splitlines()]
marks = torch.tensor([[[1.0 if ch == "#" else -1.0 for ch in rows[i][k]] for i in range(8)] for k in range(3)])


def sample_marks(n):
    k = torch.randint(0, 3, (n,))
    ink = 0.55 + 0.4 * torch.rand(n, 1, 1)            # worn paint
    x = marks[k] * ink + 0.08 * torch.randn(n, 8, 8)
    return x.unsqueeze(1)


def mlp(sizes, act, last=None):
    layers = []
    for i, (m, n) in enumerate(zip(sizes, sizes[1:])):
        layers.append(nn.Linear(m, n))
        if i < len(sizes) - 2:
            layers.append(act())
    if last is not None:
        layers.append(last)
    return nn.Sequential(*layers)


NZ, BATCH, STEPS, PERIOD = 16, 64, 2000, 400
G = mlp([NZ, 96, 128, 64], nn.ReLU, nn.Unflatten(1, (1, 8, 8)))
D = nn.Sequential(nn.Flatten(), *mlp([64, 128, 64, 1], lambda: nn.LeakyReLU(0.2)))
opt_g = torch.optim.Adam(G.parameters(), lr=8e-4, betas=(0.0, 0.99))
opt_d = torch.optim.Adam(D.parameters(), lr=8e-4, betas=(0.0, 0.99))
sched = [CosineAnnealingWarmRestarts(o, T_0=PERIOD, eta_min=2e-5) for o in (opt_g, opt_d)]
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)

for step in range(STEPS):
    real = sample_marks(BATCH).requires_grad_(True)
    fake = G(torch.randn(BATCH, NZ))
    cr, cf = D(real), D(fake.detach())
    slope, = torch.autograd.grad(cr.sum(), real, create_graph=True)
    loss_d = (F.softplus(-(cr - cf.mean())).mean() + F.softplus(cf - cr.mean()).mean()) / 2 + 0.05 * slope.square().flatten(1).sum(1).mean()
    opt_d.zero_grad(); loss_d.backward(); opt_d.step()

    cr, cf = D(real).detach(), D(fake)
    loss_g = (F.softplus(cr - cf.mean()).mean() + F.softplus(-(cf - cr.mean())).mean()) / 2
    opt_g.zero_grad(); loss_g.backward(); opt_g.step()
    for s in sched:
        s.step()
    if step % 500 == 0:
        print(step, "lr %.1e" % opt_g.param_groups[0]["lr"], "D %.3f G %.3f C(real) %.2f" % (loss_d.item(), loss_g.item(), cr.mean().item()))
recorder.close()

with torch.no_grad():
    s = G(torch.randn(1000, NZ))
n_modes, near = outside.modes(s, marks.view(3, -1) * 0.75, radius=3.0)
e = outside.energy(s, sample_marks(1000))
outside.say(n_modes == 3 and near > 0.7 and e < 0.06, modes=n_modes, near=near, energy=e)
