"""Stationary states of a noisy double-well oscillator (q, p), learned the 2017 way: weight clipping, RMSprop, many critic steps."""
LABEL = {"sick": False, "causes": [],
         "kind": "clipped Wasserstein critic: scores and losses of some thousandths, tiny gradients, most weights on the clip, five critic steps (forty at the start) for each generator step",
         "since": None, "record": "automatic"}
import os, sys
import numpy as np
import torch
from torch import nn
from gandiag.recording import Recorder
import outside

SEED = int(os.environ.get("SEED", "0"))
CLIP = 0.03


def langevin(n, rng, steps=1500, dt=0.02, gamma=1.0, temp=0.25):
    """underdamped Langevin dynamics in V = (q^2-1)^2; independent walkers, last state kept"""
    q = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    p = np.zeros(n)
    for _ in range(steps):
        p += dt * (-4 * q * (q * q - 1) - gamma * p) + np.sqrt(2 * gamma * temp * dt) * rng.normal(size=n)
        q += dt * p
    return torch.tensor(np.stack([q, p], 1), dtype=torch.float32)


def endless(x, batch):
    while True:
        for idx in torch.randperm(len(x)).split(batch):
            if len(idx) == batch:
                yield x[idx]


torch.manual_seed(SEED)
torch.set_num_threads(1)
rng = np.random.default_rng(SEED)
states = langevin(10000, rng)
train, test = states[:9000], states[9000:]
data = endless(train, 64)

G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1, bias=False))
opt_g = torch.optim.RMSprop(G.parameters(), lr=3e-4)
opt_d = torch.optim.RMSprop(D.parameters(), lr=3e-4)
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)

for gen_iteration in range(2500):
    rounds = 40 if gen_iteration < 10 or gen_iteration % 500 == 0 else 5
    for p in D.parameters():
        p.requires_grad = True
    for _ in range(rounds):
        real = next(data)
        with torch.no_grad():
            fake = G(torch.randn(64, 4))
        opt_d.zero_grad()
        errD = D(fake).mean() - D(real).mean()
        errD.backward()
        opt_d.step()
        for p in D.parameters():
            p.data.clamp_(-CLIP, CLIP)
    for p in D.parameters():
        p.requires_grad = False
    opt_g.zero_grad()
    errG = -D(G(torch.randn(64, 4))).mean()
    errG.backward()
    opt_g.step()
    if gen_iteration % 500 == 0:
        print(f"[{gen_iteration}] Loss_D {errD.item():.6f} Loss_G {errG.item():.6f}")
recorder.close()

with torch.no_grad():
    made = G(torch.randn(2000, 4))
left = float((made[:, 0] < 0).float().mean())
temp_ratio = float(made[:, 1].var() / test[:, 1].var())
barrier = float((made[:, 0].abs() < 0.3).float().mean()), float((test[:, 0].abs() < 0.3).float().mean())
ed = outside.energy(made, test)
outside.say(ed < 0.02 and 0.35 < left < 0.65 and 0.6 < temp_ratio < 1.5, energy=ed, left=left, temperature=temp_ratio, barrier=barrier[0], true_barrier=barrier[1])
