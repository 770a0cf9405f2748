"""Stochastic-volatility paths with a recurrent GAN; label smoothing, instance noise, dropout in D and EMA of G."""
import copy
import os
import random
import sys

import numpy as np
import torch
import torch.nn as nn

import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "label smoothing, decaying instance noise and dropout: D is near chance from start to end, loss near 1.38",
         "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)
T, NZ, STEPS, BATCH = 12, 5, 900, 96


def vol_paths(n, rng):
    level = rng.normal(0, .5, n)
    v, out = level + .3 * rng.standard_normal(n), []
    for _ in range(T):
        v = v + .25 * (level - v) + .15 * rng.standard_normal(n)
        out.append(v)
    return torch.tensor(np.stack(out, 1), dtype=torch.float32).unsqueeze(2)


class PathGenerator(nn.Module):
    def __init__(self, hidden=28):
        super().__init__()
        self.hidden = hidden
        self.start = nn.Linear(NZ, hidden)
        self.cell = nn.GRUCell(2, hidden)
        self.out = nn.Linear(hidden, 1)

    def forward(self, n):
        h = torch.tanh(self.start(torch.randn(n, NZ)))
        path = []
        for _ in range(T):
            h = self.cell(torch.randn(n, 2), h)
            path.append(self.out(h))
        return torch.stack(path, 1)


class PathDiscriminator(nn.Module):
    def __init__(self, ch=32):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(1, ch, 3, padding=1), nn.LeakyReLU(.2), nn.Dropout(.2),
                                 nn.Conv1d(ch, ch, 3, stride=2, padding=1), nn.LeakyReLU(.2), nn.Dropout(.2),
                                 nn.Flatten(), nn.Linear(ch * 6, 1))

    def forward(self, x):
        return self.net(x.transpose(1, 2))


rng = np.random.default_rng(SEED + 5)
data = vol_paths(5000, rng)
G, D = PathGenerator(), PathDiscriminator()
shadow = copy.deepcopy(G)
opt_g = torch.optim.Adam(G.parameters(), lr=2e-3, betas=(.5, .99))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(.5, .99))
bce = nn.functional.binary_cross_entropy_with_logits
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)

for step in range(STEPS):
    sigma = .25 * (1 - step / STEPS)
    jitter = lambda a: a + sigma * torch.randn_like(a)
    real = data[torch.randint(0, 5000, (BATCH,))]
    fake = G(BATCH)

    d_real, d_fake = D(jitter(real)), D(jitter(fake.detach()))
    d_loss = bce(d_real, torch.full_like(d_real, .8)) + bce(d_fake, torch.zeros_like(d_fake))
    opt_d.zero_grad()
    d_loss.backward()
    nn.utils.clip_grad_norm_(D.parameters(), 5.)
    opt_d.step()

    g_loss = bce(D(jitter(fake)), torch.ones_like(d_fake))
    opt_g.zero_grad()
    g_loss.backward()
    nn.utils.clip_grad_norm_(G.parameters(), 5.)
    opt_g.step()
    with torch.no_grad():
        for s, p in zip(shadow.parameters(), G.parameters()):
            s.lerp_(p, .01)
    rec.step(d_loss=d_loss, g_loss=g_loss)
    if step % 300 == 299:
        print(step + 1, round(d_loss.item(), 3), round(g_loss.item(), 3))
rec.close()

with torch.no_grad():
    now, averaged, fresh = G(1000), shadow(1000), vol_paths(1000, rng)
e, e_ema = outside.energy(now, fresh), outside.energy(averaged, fresh)
outside.say(max(e, e_ema) < 0.05, energy=e, energy_ema=e_ema)
