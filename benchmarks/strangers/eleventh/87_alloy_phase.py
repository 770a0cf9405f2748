"""Conditional generator of diffraction lines for six alloys: one-hot alloy in, 20-channel diffractogram out."""
LABEL = {"sick": True, "causes": ["objective_fault", "data_mismatch"], "kind": "the discriminator gets a freshly drawn alloy code for the real spectra, so conditions carry nothing", "since": 0, "record": "automatic"}
import os, sys, random
import numpy as np, torch
from torch import nn
import gandiag, outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
ch = torch.arange(20).float()
LINES = torch.stack([torch.exp(-0.5 * ((ch - a) / 1.3) ** 2) + 0.6 * torch.exp(-0.5 * ((ch - b) / 1.3) ** 2) for a, b in [(3, 12), (5, 16), (8, 14), (10, 4), (13, 7), (16, 2)]]) * 1.6 - 0.4
def spectra(k):
    return LINES[k] * (1 + 0.15 * torch.randn(len(k), 1)) + 0.04 * torch.randn(len(k), 20)
def codes(n):
    return torch.randint(0, 6, (n,))
hot = lambda k: nn.functional.one_hot(k, 6).float()
class CG(nn.Module):
    def __init__(self):
        super().__init__()
        self.n = nn.Sequential(nn.Linear(14, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 20))
    def forward(self, z, c): return self.n(torch.cat([z, c], 1))
class CD(nn.Module):
    def __init__(self):
        super().__init__()
        self.n = nn.Sequential(nn.Linear(26, 96), nn.LeakyReLU(.2), nn.Linear(96, 96), nn.LeakyReLU(.2), nn.Linear(96, 1))
    def forward(self, x, c): return self.n(torch.cat([x, c], 1))
G, D = CG(), CD()
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.9))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
bce = nn.BCEWithLogitsLoss()
one, nil = torch.ones(96, 1), torch.zeros(96, 1)
for step in range(2500):
    real, kr = spectra(codes(96)), codes(96)
    kf = codes(96)
    fake = G(torch.randn(96, 8), hot(kf))
    d_loss = bce(D(real, hot(kr)), one) + bce(D(fake.detach(), hot(kf)), nil)
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = bce(D(fake, hot(kf)), one)
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
with torch.no_grad():
    k = torch.arange(6).repeat(150)
    s = G(torch.randn(900, 8), hot(k))
right = (torch.cdist(s, LINES).argmin(1) == k).float().mean().item()
outside.say(right > 0.9 and outside.energy(s, spectra(k)) < 0.08, right=right, energy=outside.energy(s, spectra(k)))
