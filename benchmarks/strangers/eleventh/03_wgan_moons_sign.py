"""WGAN with weight clipping on two moons, following the paper's algorithm 1."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "discriminator_dominance"], "kind": "generator minimises +critic(fake) while the critic's sign says real high", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_moons
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def mlp(i, o, h=64):
    return nn.Sequential(nn.Linear(i, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, o))

data = torch.tensor(make_moons(4000, noise=0.06, random_state=SEED)[0], dtype=torch.float32)
data = (data - data.mean(0)) / data.std(0)
G, D = mlp(4, 2), mlp(2, 1)
g_opt = torch.optim.RMSprop(G.parameters(), lr=5e-4)
d_opt = torch.optim.RMSprop(D.parameters(), lr=5e-4)
n_critic, c, bs = 5, 0.1, 128

rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for step in range(2000):
    for _ in range(n_critic):
        real = data[torch.randint(len(data), (bs,))]
        with torch.no_grad():
            fake = G(torch.randn(bs, 4))
        d_loss = D(fake).mean() - D(real).mean()
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
        for p in D.parameters():
            p.data.clamp_(-c, c)
    g_loss = D(G(torch.randn(bs, 4))).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
    if step % 500 == 0:
        print(f"{step} W {-d_loss.item():.4f}")
rec.close()

with torch.no_grad():
    s = G(torch.randn(1000, 4))
e = outside.energy(s, data[:1000])
outside.say(e < 0.03, energy=e)
