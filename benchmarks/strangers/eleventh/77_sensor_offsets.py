"""Offset and gain of pressure sensors (2 numbers, skewed and dependent), with a discriminator of only 12 hidden units against a wide generator."""
LABEL = {"sick": False, "causes": [], "kind": "healthy though D is tiny and stays near chance", "since": None, "record": "automatic"}
import os, sys, random
import numpy as np, torch
from torch import nn
import gandiag, outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
def sensors(n):
    a = torch.randn(n)
    off = torch.exp(0.4 * a) - 1
    gain = 0.6 * a + 0.3 * a ** 2 * 0.5 + 0.4 * torch.randn(n)
    return torch.stack([off, gain], 1)
G = nn.Sequential(nn.Linear(6, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 2))
D = nn.Sequential(nn.Linear(2, 12), nn.Tanh(), nn.Linear(12, 12), nn.Tanh(), nn.Linear(12, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=3e-4, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=3e-3, betas=(0.0, 0.9))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
loss = nn.BCEWithLogitsLoss()
y1, y0 = torch.ones(128, 1), torch.zeros(128, 1)
for i in range(3000):
    fake = G(torch.randn(128, 6))
    d_loss = loss(D(torch.cat([sensors(128), fake.detach()])), torch.cat([y1, y0]))
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = loss(D(fake), y1)
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, 6)), sensors(1000))
outside.say(e < 0.02, energy=e)
