"""Correlated exam marks of pupils (three subjects); the judge is deliberately tiny and slow so that the generator is never crushed."""
LABEL = {"sick": False, "causes": [], "kind": "D has two layers of sixteen hidden units; a fiftieth of G's weights, and loss stays near 2 ln 2, but it is enough for this cloud", "since": 0, "record": "automatic"}
import os, sys, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import gandiag, outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

A = torch.tensor([[1., 0., 0.], [.7, .7, 0.], [.3, .4, .8]])
def marks(n):
    m = torch.randn(n, 3) @ A.T
    m[:, 2] = m[:, 2] + 0.3 * (m[:, 0] ** 2 - 1)
    return m

G = nn.Sequential(nn.Linear(6, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 3))
D = nn.Sequential(nn.Linear(3, 16), nn.LeakyReLU(.2), nn.Linear(16, 16), nn.LeakyReLU(.2), nn.Linear(16, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=2e-4, betas=(.5, .9))
d_opt = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(.5, .9), weight_decay=1e-3)
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
for it in range(4000):
    z = torch.randn(128, 6)
    fake = G(z)
    dl = F.softplus(-D(marks(128))).mean() + F.softplus(D(fake.detach())).mean()
    d_opt.zero_grad(); dl.backward(); d_opt.step()
    gl = F.softplus(-D(fake)).mean()
    g_opt.zero_grad(); gl.backward()
    nn.utils.clip_grad_norm_(G.parameters(), 1.0)
    g_opt.step()
    k = min(1.0, (4000 - it) / 1500)
    g_opt.param_groups[0]["lr"] = 2e-4 * k; d_opt.param_groups[0]["lr"] = 2e-3 * k
with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, 6)), marks(1000))
outside.say(e < 0.015, energy=e)
