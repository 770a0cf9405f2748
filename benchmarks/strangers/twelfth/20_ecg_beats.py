"""Toy heart beats of 32 samples with the loss exactly as in the 2014 paper and a well-trained discriminator."""
LABEL = {"sick": False, "causes": [], "kind": "saturating log(1-D) loss, eight D steps a turn at four times the rate and clamped probabilities: looks doomed, yet the beats are good", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np, torch
from torch import nn
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

t = torch.linspace(0, 1, 32)
def beats(n):
    c = 0.45 + 0.1 * torch.rand(n, 1); a = 0.8 + 0.4 * torch.rand(n, 1); w = 0.035 + 0.02 * torch.rand(n, 1)
    qrs = a * torch.exp(-((t - c) / w) ** 2)
    p = 0.25 * torch.exp(-((t - c + 0.2) / 0.06) ** 2)
    tw = (0.3 + 0.2 * torch.rand(n, 1)) * torch.exp(-((t - c - 0.28) / 0.08) ** 2)
    return 2 * (qrs + p + tw - 0.2) + 0.03 * torch.randn(n, 32)

D_STEPS, D_LR, G_LR = 8, 2e-3, 5e-4
G = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32))
D = nn.Sequential(nn.Linear(32, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1), nn.Sigmoid())
g_opt = torch.optim.Adam(G.parameters(), lr=G_LR, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=D_LR, betas=(0.5, 0.999))
eps = 1e-3
prob = lambda x: D(x).clamp(eps, 1 - eps)      # keep the logs finite
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, discriminator_output="probability")
for it in range(1200):
    for _ in range(D_STEPS):
        x, f = beats(64), G(torch.randn(64, 8)).detach()
        d_loss = -(torch.log(prob(x)) + torch.log(1 - prob(f))).mean()
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = torch.log(1 - prob(G(torch.randn(64, 8)))).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, 8)), beats(1000))
outside.say(e < 0.06, energy=e)
