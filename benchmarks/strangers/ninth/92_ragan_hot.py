"""Relativistic average LSGAN on digits; cosine schedules with warm restarts, two D steps per G step with their own batches, AdamW."""
import os, sys, random
import numpy as np, torch
import torch.nn as nn
import gandiag, outside

LABEL = {"sick": False, "causes": [], "kind": "relativistic average least squares (G's loss far above D's), warm restarts of the rates, two D steps a G step", "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


class Params:
    z, h, batch, iters, d_per_g = 16, 160, 64, 1500, 2


class Shuffled:
    def __init__(self, x, b):
        self.x, self.b, self.q = x, b, []

    def __call__(self):
        if not self.q:
            self.q = list(torch.randperm(len(self.x)).split(self.b))[:-1]
        return self.x[self.q.pop()]


def weights(m):
    if isinstance(m, nn.Linear):
        nn.init.kaiming_normal_(m.weight, a=.2); nn.init.zeros_(m.bias)


P = Params
G = nn.Sequential(nn.Linear(P.z, P.h), nn.LayerNorm(P.h), nn.GELU(), nn.Linear(P.h, P.h), nn.LayerNorm(P.h), nn.GELU(), nn.Linear(P.h, 64), nn.Hardtanh(-1, 1))
D = nn.Sequential(nn.Linear(64, P.h), nn.LeakyReLU(.2), nn.Dropout(.2), nn.Linear(P.h, P.h), nn.LeakyReLU(.2), nn.Linear(P.h, 1)).apply(weights)
g_opt = torch.optim.AdamW(G.parameters(), 8e-4, betas=(.5, .99), weight_decay=1e-4)
d_opt = torch.optim.AdamW(D.parameters(), 8e-4, betas=(.5, .99), weight_decay=1e-3)
plans = [torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 500, eta_min=5e-5) for o in (g_opt, d_opt)]
batch = Shuffled(outside.digits()[0].flatten(1), P.batch)


def ralsgan(a, b):
    """(a should lie one above the mean of b, b one below the mean of a)"""
    return (a - b.mean() - 1).pow(2).mean() + (b - a.mean() + 1).pow(2).mean()


with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt) as rec:
    for it in range(P.iters):
        for _ in range(P.d_per_g):
            d_loss = ralsgan(D(batch()), D(G(torch.randn(P.batch, P.z)).detach()))
            d_opt.zero_grad(); d_loss.backward(); d_opt.step()
        g_loss = ralsgan(D(G(torch.randn(P.batch, P.z))), D(batch()).detach())
        g_opt.zero_grad(); g_loss.backward(); g_opt.step()
        for p in plans: p.step()
        rec.step(d_loss=d_loss, g_loss=g_loss)

with torch.no_grad():
    s = G(torch.randn(1000, P.z))
x = batch.x[torch.randperm(len(batch.x))]
e = outside.energy(s, x)
classes, dist, _ = outside.digit_quality(s)
outside.say(e < .06 and classes >= 9 and dist < 1.8, energy=e, classes=classes, dist=dist)
