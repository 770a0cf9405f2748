"""Gait cycles of patients with a rare disease (only 24 recordings, 20 samples per cycle), strong discriminator."""
LABEL = {"sick": True, "causes": ["discriminator_overfitting", "memorisation", "discriminator_dominance", "mode_dropping"], "kind": "24 recordings against a large discriminator: it knows them by heart, the generator at best repeats some of them", "since": None, "record": "automatic"}
import os, sys, random
import numpy as np, torch
from torch import nn
import gandiag, outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
t = torch.linspace(0, 1, 20)
def gait(n):
    a = [0.5 * torch.randn(n, 1) for _ in range(4)]
    y = torch.sin(2 * np.pi * t) * (1 + a[0]) + a[1] * torch.cos(2 * np.pi * t) + a[2] * torch.sin(4 * np.pi * t) + a[3] * torch.cos(4 * np.pi * t)
    return y * 0.5 + 0.02 * torch.randn(n, 20)
N_PATIENTS = 24
patients = gait(N_PATIENTS)
G = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 20))
D = nn.Sequential(nn.Linear(20, 256), nn.LeakyReLU(0.2), nn.Linear(256, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.999))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
bce = nn.BCEWithLogitsLoss()
for step in range(3000):
    x = patients[torch.randint(N_PATIENTS, (32,))]
    f = G(torch.randn(32, 8))
    d_loss = bce(D(x), torch.ones(32, 1)) + bce(D(f.detach()), torch.zeros(32, 1))
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = bce(D(f), torch.ones(32, 1))
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
with torch.no_grad():
    s = G(torch.randn(1000, 8))
new = gait(1000)
e = outside.energy(s, new)
to_train = torch.cdist(s, patients).min(1).values.median()
usual = torch.cdist(new, patients).min(1).values.median()
outside.say(e < 0.04 and to_train / usual > 0.6, energy=e, nearness=(to_train / usual).item())
