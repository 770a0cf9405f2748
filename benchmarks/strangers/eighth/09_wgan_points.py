"""Wasserstein GAN after Arjovsky et al., swiss roll."""
import os, sys, random
import numpy as np
import torch
from torch import nn
from torch.nn.parameter import Parameter
from sklearn.datasets import make_swiss_roll
import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "discriminator_dominance"],
         "kind": "WGAN whose weight clipping is not in place (p.data.clamp instead of clamp_): the critic's loss is unbounded and it diverges",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

x, _ = make_swiss_roll(4000, noise=0.3, random_state=SEED)
x = torch.tensor(x[:, [0, 2]] / 7.0, dtype=torch.float32)


def net(i, o, h, depth, act):
    mods, n = [], i
    for _ in range(depth):
        mods.extend([nn.Linear(n, h), act])
        n = h
    mods.append(nn.Linear(n, o))
    return nn.Sequential(*mods)


gen = net(3, 2, 64, 3, nn.ReLU())
critic = net(2, 1, 64, 3, nn.LeakyReLU(0.2))

lr, clip, n_critic, m = 5e-4, 0.1, 5, 64
opt_critic = torch.optim.RMSprop(critic.parameters(), lr=lr)
opt_gen = torch.optim.RMSprop(gen.parameters(), lr=lr)
rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=critic, generator_optimizer=opt_gen,
                       discriminator_optimizer=opt_critic, automatic=True)


def sample_real():
    return x[torch.randint(0, x.shape[0], (m,))]


for t in range(1200):
    for p in critic.parameters():
        p.requires_grad_(True)
    for _ in range(n_critic):
        opt_critic.zero_grad()
        with torch.no_grad():
            y = gen(torch.randn(m, 3))
        w = critic(sample_real()).mean() - critic(y).mean()
        (-w).backward()
        opt_critic.step()
        for p in critic.parameters():
            p.data.clamp(-clip, clip)
    for p in critic.parameters():
        p.requires_grad_(False)
    opt_gen.zero_grad()
    loss_gen = -critic(gen(torch.randn(m, 3))).mean()
    loss_gen.backward()
    opt_gen.step()
    if t % 400 == 0:
        print("t", t, "W", w.item())
rec.close()

with torch.no_grad():
    y = gen(torch.randn(1000, 3))
e = outside.energy(y, x[:1000])
outside.say(e < 0.08, energy=e)
