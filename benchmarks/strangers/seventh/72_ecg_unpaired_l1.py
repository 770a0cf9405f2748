"""A GAN: ecg unpaired l1."""
import os
import random
import numpy as np
import torch
from torch import nn
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "mode_collapse"], "kind": "pix2pix's L1 term (weight 25, summed over the beat) against unpaired real beats: G answers with the mean beat for all z", "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

N = 32
LAMBDA_L1 = 25.0

def beats(n):
    t = np.linspace(0, 1, N)[None]
    shift = np.random.uniform(-0.12, 0.12, (n, 1))
    r = np.random.uniform(0.5, 1.0, (n, 1)) * np.exp(-((t - 0.45 - shift) / 0.04) ** 2)
    s = -0.35 * np.exp(-((t - 0.55 - shift) / 0.05) ** 2)
    tw = np.random.uniform(0.1, 0.5, (n, 1)) * np.exp(-((t - 0.75 - shift) / 0.08) ** 2)
    return torch.tensor((r + s + tw + 0.01 * np.random.randn(n, N))[:, None], dtype=torch.float32)

class UpBlock(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.op = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv1d(i, o, 5, padding=2), nn.BatchNorm1d(o), nn.LeakyReLU(0.1))
    def forward(self, x):
        return self.op(x)

class BeatGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 32 * 8)
        self.up = nn.Sequential(UpBlock(32, 24), UpBlock(24, 16), nn.Conv1d(16, 1, 5, padding=2))
    def forward(self, z):
        return self.up(self.fc(z).view(-1, 32, 8))

class BeatCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Sequential(nn.Conv1d(1, 16, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(16, 32, 5, 2, 2), nn.LeakyReLU(0.2))
        self.f = nn.Linear(32 * 8, 1)
    def forward(self, x):
        return self.f(self.c(x).flatten(1))

G, D = BeatGenerator(), BeatCritic()
og = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.999))
od = torch.optim.Adam(D.parameters(), 5e-4, betas=(0.5, 0.999))
adv = nn.BCEWithLogitsLoss()
l1 = lambda a, b: (a - b).abs().sum((1, 2)).mean()

for i in range(1100):
    real = beats(48)
    fake = G(torch.randn(48, 8))
    pr, pf = D(real), D(fake.detach())
    loss_d = 0.5 * (adv(pr, torch.ones_like(pr)) + adv(pf, torch.zeros_like(pf)))
    od.zero_grad(); loss_d.backward(); od.step()
    pf = D(fake)
    loss_g = adv(pf, torch.ones_like(pf)) + LAMBDA_L1 * l1(fake, real)
    og.zero_grad(); loss_g.backward(); og.step()

with torch.no_grad():
    s = G(torch.randn(1000, 8))
ref = beats(1000)
spread = float(s.std(0).mean() / ref.std(0).mean())
e = outside.energy(s, ref)
outside.say(e < 0.04 and spread > 0.7, energy=e, spread=spread)
