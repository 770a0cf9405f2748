"""Peak spectra with cosine warm restarts of both rates and instance noise that fades out over the first half."""
LABEL = {"sick": False, "causes": [], "kind": "rates saw-tooth up and down five times, the noise on D's inputs fades, a little R1, gradient clipping; samples fine", "since": None, "record": "automatic"}
import os, sys, random
import numpy as np, torch
from torch import nn
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
N = 36
grid = torch.linspace(0, 1, N)
def spectra(n):
    c = torch.rand(n, 1) * 0.6 + 0.2
    w = 0.06 + 0.04 * torch.rand(n, 1)
    return torch.exp(-((grid - c) / w) ** 2) - 0.5 * torch.exp(-((grid - 0.5) / 0.3) ** 2)

class Conv1dD(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Sequential(nn.Conv1d(1, 16, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(16, 32, 5, 2, 2), nn.LeakyReLU(0.2))
        self.o = nn.Sequential(nn.Flatten(), nn.Linear(32 * 9, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    def forward(self, x): return self.o(self.c(x[:, None]))
G = nn.Sequential(nn.Linear(8, 96), nn.ReLU(), nn.Linear(96, 128), nn.ReLU(), nn.Linear(128, N))
D = Conv1dD()
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.99))
d_opt = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.99))
STEPS = 2500
scheds = [torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=500, eta_min=2e-5) for o in (g_opt, d_opt)]
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
bce = nn.BCEWithLogitsLoss()
for step in range(STEPS):
    sigma = 0.3 * max(0.0, 1 - 2 * step / STEPS) + 0.05
    blur = lambda v: v + sigma * torch.randn_like(v)
    x, y = spectra(64), G(torch.randn(64, 8))
    d_opt.zero_grad()
    xb = blur(x).requires_grad_()
    out = D(xb)
    r1 = torch.autograd.grad(out.sum(), xb, create_graph=True)[0].pow(2).sum(1).mean()
    (bce(out, torch.ones(64, 1)) + bce(D(blur(y.detach())), torch.zeros(64, 1)) + 0.2 * r1).backward()
    nn.utils.clip_grad_norm_(D.parameters(), 1.0)
    d_opt.step()
    g_opt.zero_grad()
    bce(D(blur(y)), torch.ones(64, 1)).backward()
    nn.utils.clip_grad_norm_(G.parameters(), 1.0)
    g_opt.step()
    for s in scheds: s.step()
with torch.no_grad():
    s = G(torch.randn(1000, 8))
t = spectra(2000)
e = outside.energy(s, t)
dist = torch.cdist(s, t).min(1).values.mean().item() / t.norm(dim=1).mean().item()
outside.say(e < 0.04 and dist < 0.25, energy=e, distance=dist)
