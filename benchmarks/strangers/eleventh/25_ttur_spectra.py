"""Physics lab project: GAN for 24-channel line spectra (one peak on a sloping background), D gets three updates and a higher rate."""
LABEL = {"sick": False, "causes": [], "kind": "D clearly stronger (TTUR 4:1 and three steps, R1-like penalty on both sides), still fine", "since": None, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

grid = torch.linspace(0, 1, 24)[None]
def spectra(n):
    pos = 0.2 + 0.6 * torch.rand(n, 1)
    amp = 1.0 + 0.5 * torch.rand(n, 1)
    slope = 0.5 * torch.randn(n, 1)
    return amp * torch.exp(-((grid - pos) / 0.09) ** 2) + slope * (grid - 0.5) + 0.02 * torch.randn(n, 24)

gen = nn.Sequential(nn.Linear(8, 96), nn.SiLU(), nn.Linear(96, 96), nn.SiLU(), nn.Linear(96, 24))
dis = nn.Sequential(nn.Linear(24, 96), nn.SiLU(), nn.Linear(96, 96), nn.SiLU(), nn.Linear(96, 1))
opt = {"g": torch.optim.Adam(gen.parameters(), lr=4e-4, betas=(0.0, 0.9)), "d": torch.optim.Adam(dis.parameters(), lr=1.6e-3, betas=(0.0, 0.9))}

def penalty(x):
    x = x.detach().requires_grad_(True)
    g, = torch.autograd.grad(dis(x).sum(), x, create_graph=True)
    return g.square().sum(1).mean()

for it in range(1500):
    for _ in range(3):
        x, f = spectra(96), gen(torch.randn(96, 8)).detach()
        loss = F.softplus(-dis(x)).mean() + F.softplus(dis(f)).mean() + 0.15 * (penalty(x) + penalty(f))
        opt["d"].zero_grad(); loss.backward(); opt["d"].step()
    loss = F.softplus(-dis(gen(torch.randn(96, 8)))).mean()
    opt["g"].zero_grad(); loss.backward(); opt["g"].step()

with torch.no_grad():
    s = gen(torch.randn(1000, 8))
real = spectra(1000)
e = outside.energy(s, real)
peak_f, peak_r = s.argmax(1).float(), real.argmax(1).float()
outside.say(e < 0.02 and abs(peak_f.std() - peak_r.std()) < 1.2, energy=e, peak_std=float(peak_f.std()), peak_std_real=float(peak_r.std()))
