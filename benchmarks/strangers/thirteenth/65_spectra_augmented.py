"""Hinge GAN for absorption spectra of three substances; few spectra, so they are augmented with shifts, gain and dropped bins."""
LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"], "kind": "the augmentation is put on the real batch only, so G learns shifted spectra with holes", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np, torch
import torch.nn as nn
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
B = 40
axis = torch.arange(B).float()
PEAKS = torch.tensor([[8.0, 20.0], [14.0, 31.0], [20.0, 28.0]])

def spectra(n):
    p = PEAKS[torch.randint(3, (n,))] + 0.4 * torch.randn(n, 2)
    h = torch.tensor([1.0, 0.7]) * (0.8 + 0.4 * torch.rand(n, 2))
    return (h[:, :, None] * torch.exp(-(axis - p[:, :, None]) ** 2 / (2 * 1.8 ** 2))).sum(1)

TRAIN = spectra(400)

def augment(x):
    n = len(x)
    k = torch.randint(-4, 5, (n, 1))
    x = x.gather(1, (torch.arange(B)[None] + k) % B)
    x = x * (0.85 + 0.3 * torch.rand(n, 1))
    start = torch.randint(0, B - 6, (n, 1))
    hole = (axis[None] >= start) & (axis[None] < start + 6) & (torch.rand(n, 1) < 0.4)
    return x.masked_fill(hole, 0.0)

G = nn.Sequential(nn.Linear(12, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, B), nn.Softplus())
sn = nn.utils.parametrizations.spectral_norm
D = nn.Sequential(sn(nn.Linear(B, 128)), nn.LeakyReLU(0.1), sn(nn.Linear(128, 128)), nn.LeakyReLU(0.1), sn(nn.Linear(128, 1)))
g_opt = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.0, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)

for i in range(3000):
    for _ in range(2):
        real = augment(TRAIN[torch.randint(len(TRAIN), (64,))])
        fake = G(torch.randn(64, 12)).detach()
        d_loss = torch.relu(1 - D(real)).mean() + torch.relu(1 + D(fake)).mean()
        d_opt.zero_grad(set_to_none=True); d_loss.backward(); d_opt.step()
    fake = G(torch.randn(64, 12))
    g_loss = -D(fake).mean()
    g_opt.zero_grad(set_to_none=True); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    s = G(torch.randn(1000, 12))
test = spectra(1000)
e = outside.energy(s, test)
dist = (torch.cdist(s, test).min(1).values.mean() / torch.cdist(spectra(1000), test).min(1).values.mean()).item()
outside.say(e < 0.06 and dist < 3.0, energy=e, distance=dist)
