"""Emulate the (x, v) cloud of a damped driven oscillator with a clipped Wasserstein GAN."""
LABEL = {"sick": False, "causes": [], "kind": "weight clipping and RMSProp, five critic steps: losses of odd signs and small size, weights at the clip; the cloud is right", "since": None, "record": "automatic"}
import os, sys, random
import numpy as np
import torch
from torch import nn
from gandiag.recording import Recorder
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

CLIP = 0.08
N_CRITIC = 5
STEPS = 1500
BATCH = 128


def integrate(n, dt=0.02):
    """semi-implicit Euler, ensemble of n oscillators, random end times"""
    x = 1.0 + 0.1 * np.random.randn(n)
    v = 0.1 * np.random.randn(n)
    stop = np.random.randint(0, 300, n)
    for k in range(300):
        live = k < stop
        a = -x - 0.25 * v
        v = np.where(live, v + dt * a, v)
        x = np.where(live, x + dt * v, x)
    return torch.tensor(np.stack([x, v], 1), dtype=torch.float32)


snapshots = integrate(8000)


def mlp(*sizes):
    mods = []
    for a, b in zip(sizes[:-1], sizes[1:]):
        mods += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*mods[:-1])


gen, critic = mlp(4, 64, 64, 2), mlp(2, 64, 64, 64, 1)
opt_g = torch.optim.RMSprop(gen.parameters(), lr=5e-4)
opt_c = torch.optim.RMSprop(critic.parameters(), lr=1e-3)
recorder = Recorder(sys.argv[1], generator=gen, discriminator=critic, generator_optimizer=opt_g, discriminator_optimizer=opt_c, automatic=True)

for t in range(STEPS):
    for g in opt_g.param_groups:                       # linear cool-down over the second half
        g["lr"] = 5e-4 * min(1.0, 2.0 * (1 - t / STEPS) + 0.02)
    for _ in range(N_CRITIC):
        x = snapshots[torch.randint(len(snapshots), (BATCH,))]
        y = gen(torch.randn(BATCH, 4)).detach()
        w = critic(x).mean() - critic(y).mean()
        opt_c.zero_grad()
        (-w).backward()
        opt_c.step()
        with torch.no_grad():
            for p in critic.parameters():
                p.clamp_(-CLIP, CLIP)
    loss = -critic(gen(torch.randn(BATCH, 4))).mean()
    opt_g.zero_grad()
    loss.backward()
    opt_g.step()
    if t % 250 == 0:
        print(f"{t:5d}  W~{w.item():+.5f}  G {loss.item():+.5f}")
recorder.close()

with torch.no_grad():
    cloud = gen(torch.randn(1000, 4))
fresh = integrate(1000)
e = outside.energy(cloud, fresh)
outside.say(e < 0.03, energy=e, r=float(cloud.norm(dim=1).mean()), r_true=float(fresh.norm(dim=1).mean()))
