"""GAN for tabular patient rows (8 columns of the breast cancer set, standardised log values) with cosine warm restarts and an EMA generator; batch 24."""
LABEL = {"sick": False, "causes": [], "kind": "healthy training with warm restarts: losses jump at every restart", "since": None, "record": "lines"}
import os, sys, copy, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
import gandiag, outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

raw = np.log1p(load_breast_cancer().data[:, [0, 1, 3, 4, 5, 6, 10, 13]])
rows = torch.tensor((raw - raw.mean(0)) / raw.std(0)).float()

G = nn.Sequential(nn.Linear(16, 96), nn.LayerNorm(96), nn.GELU(), nn.Linear(96, 96), nn.LayerNorm(96), nn.GELU(), nn.Linear(96, 8))
D = nn.Sequential(nn.Linear(8, 96), nn.GELU(), nn.Dropout(.1), nn.Linear(96, 96), nn.GELU(), nn.Dropout(.1), nn.Linear(96, 1))
avg = copy.deepcopy(G).requires_grad_(False)
g_opt = torch.optim.AdamW(G.parameters(), lr=8e-4, betas=(.5, .99), weight_decay=1e-4)
d_opt = torch.optim.AdamW(D.parameters(), lr=8e-4, betas=(.5, .99), weight_decay=1e-2)
restart = [torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 500, 2, eta_min=1e-5) for o in (g_opt, d_opt)]
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for it in range(3000):
    x = rows[torch.randint(0, len(rows), (24,))]
    f = G(torch.randn(24, 16))
    xr = x.clone().requires_grad_()
    out = D(xr)
    r1 = torch.autograd.grad(out.sum(), xr, create_graph=True)[0].square().sum(1).mean() if it % 4 == 0 else 0.
    d_loss = F.softplus(-out).mean() + F.softplus(D(f.detach())).mean() + .4 * r1
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = F.softplus(-D(f)).mean()
    g_opt.zero_grad(); g_loss.backward(); nn.utils.clip_grad_norm_(G.parameters(), 5.); g_opt.step()
    for s in restart: s.step()
    for a, b in zip(avg.parameters(), G.parameters()): a.lerp_(b.detach(), .01)
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
s = avg(torch.randn(1000, 16))
e = outside.energy(s, rows)
cc = float(np.abs(np.corrcoef(s.numpy().T) - np.corrcoef(rows.numpy().T)).mean())
outside.say(e < .03 and cc < .12, energy=e, correlation_gap=cc)
