"""Chromatogram fingerprints: each of eight compounds elutes at its own retention time, 24 time bins."""
LABEL = {"sick": True, "causes": ["mode_collapse", "objective_fault", "discriminator_weakness", "oscillation"], "kind": "n_critic applied to the wrong network: five generator steps for one discriminator step", "since": 0, "record": "attach"}
import os, random
import numpy as np, torch
from torch import nn
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

bins = torch.arange(24).float()
peaks = torch.exp(-0.5 * ((bins - (torch.arange(8).float()[:, None] * 2.7 + 2)) / 1.2) ** 2) * 2 - 1

def sample_real(n):
    return peaks[torch.randint(8, (n,))] + 0.15 * torch.randn(n, 24)

netG = nn.Sequential(nn.Linear(8, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 24))
S = nn.utils.parametrizations.spectral_norm
netD = nn.Sequential(S(nn.Linear(24, 128)), nn.LeakyReLU(0.2), S(nn.Linear(128, 128)), nn.LeakyReLU(0.2), nn.Linear(128, 1))
optG = torch.optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.999))
loss = nn.BCEWithLogitsLoss()
batch_size, n_critic = 64, 5
one, zero = torch.ones(batch_size, 1), torch.zeros(batch_size, 1)

def update_d():
    optD.zero_grad()
    with torch.no_grad():
        f = netG(torch.randn(batch_size, 8))
    l = loss(netD(sample_real(batch_size)), one) + loss(netD(f), zero)
    l.backward(); optD.step()
    return l.item()

def update_g():
    optG.zero_grad()
    l = loss(netD(netG(torch.randn(batch_size, 8))), one)
    l.backward(); optG.step()
    return l.item()

for it in range(2800):
    ld = update_d() if it % n_critic == 0 else ld
    lg = update_g()
    if it % 500 == 0: print(it, ld, lg)

with torch.no_grad():
    s = netG(torch.randn(1000, 8))
m, near = outside.modes(s, peaks, 1.2)
outside.say(m >= 7 and near > 0.6, modes=m, near=near, energy=outside.energy(s, sample_real(1000)))
