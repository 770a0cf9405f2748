"""Only 60 measured points of a calibration curve: a small GAN with instance noise on both sides fills in the rest."""
import os, random, sys
import numpy as np, torch
from torch import nn
import gandiag, outside

LABEL = {"sick": False, "causes": [], "kind": "healthy with only 60 training rows; annealed instance noise on real and fake, D loss stays near chance", "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def curve(n):
    t = torch.rand(n, 1) * 2 - 1
    return torch.cat([t, t ** 2 - 0.5 + 0.04 * torch.randn(n, 1), torch.sin(3 * t) + 0.04 * torch.randn(n, 1)], 1)


measured = curve(60)
G = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 3))
D = nn.Sequential(nn.Linear(3, 48), nn.LeakyReLU(0.2), nn.Linear(48, 48), nn.LeakyReLU(0.2), nn.Linear(48, 1), nn.Sigmoid())
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999), weight_decay=1e-5)
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999), weight_decay=1e-4)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, discriminator_output="probability")
bce = nn.BCELoss()
STEPS = 3500
for s in range(STEPS):
    sigma = max(0.08, 0.3 * (1 - s / STEPS))
    jitter = lambda x: x + sigma * torch.randn_like(x)
    x = measured[torch.randint(0, 60, (128,))]
    f = G(torch.randn(128, 4))
    d_loss = bce(D(jitter(x)), torch.full((128, 1), 0.9)) + bce(D(jitter(f.detach())), torch.zeros(128, 1))
    d_opt.zero_grad()
    d_loss.backward()
    d_opt.step()
    g_loss = bce(D(jitter(f)), torch.ones(128, 1))
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
    if s % 500 == 0:
        print(s, d_loss.item(), g_loss.item())
rec.close()
with torch.no_grad():
    f = G(torch.randn(1000, 4))
fresh = curve(1000)
e = outside.energy(f, fresh)
off = torch.cdist(f, curve(4000)).min(1).values.mean().item()
outside.say(e < 0.04 and off < 0.1, energy=e, off=off)
