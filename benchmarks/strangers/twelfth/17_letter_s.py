"""Outline of the letter S, Wasserstein style with five critic steps, from a blog post on optimal transport."""
LABEL = {"sick": False, "causes": [], "kind": "Wasserstein loss with nothing bounding the critic, five steps a turn; with RMSprop and small rates the letter comes out very well", "since": 0, "record": "automatic"}
import os, sys, random
import numpy as np, torch, torch.nn as nn
import gandiag, outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def letter(n):
    u = torch.rand(n) * 2 - 1
    up = (u > 0).float()
    a = torch.where(u > 0, 0.3 + u * 4.2, 0.3 + (-u) * 4.2) + 0.0
    x = torch.where(u > 0, torch.cos(a), -torch.cos(a))
    y = torch.where(u > 0, torch.sin(a) + 1, -torch.sin(a) - 1)
    return torch.stack([x, y], 1) * 0.8 + 0.03 * torch.randn(n, 2)

G = nn.Sequential(nn.Linear(3, 64), nn.LeakyReLU(.1), nn.Linear(64, 64), nn.LeakyReLU(.1), nn.Linear(64, 2))
C = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(.1), nn.Linear(64, 64), nn.LeakyReLU(.1), nn.Linear(64, 1))
g_opt = torch.optim.RMSprop(G.parameters(), lr=3e-4)
d_opt = torch.optim.RMSprop(C.parameters(), lr=1e-3)
gandiag.Recorder(sys.argv[1], generator=G, discriminator=C, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)

for t in range(1800):
    for k in range(5):
        real, fake = letter(100), G(torch.randn(100, 3)).detach()
        loss = C(fake).mean() - C(real).mean()
        d_opt.zero_grad()
        loss.backward()
        d_opt.step()
    loss = -C(G(torch.randn(100, 3))).mean()
    g_opt.zero_grad()
    loss.backward()
    g_opt.step()

with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, 3)), letter(1000))
outside.say(e < 0.02, energy=e)
