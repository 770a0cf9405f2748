"""ECG beats, 32 samples, three beat types; convolutional generator, spectrally normalised convolutional critic, hinge loss and TTUR."""
LABEL = {"sick": False, "causes": [], "kind": "healthy SN hinge TTUR on beats", "since": None, "record": "attach"}
import os, random
import numpy as np, torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm as SN
import torch.nn.functional as F
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
s = torch.arange(32).float()
def wave(c, w, a): return a * torch.exp(-0.5 * ((s - c) / w) ** 2)
TYPES = torch.stack([wave(8, 1.5, .3) + wave(14, 1.2, 1.5) + wave(24, 2.5, .5), wave(13, 3, 1.4) - wave(22, 3, .7), wave(8, 1.5, .3) - wave(14, 1.2, .9) + wave(23, 2.5, .8)])
def beats(n):
    return TYPES[torch.randint(3, (n,))] * (1 + 0.15 * torch.randn(n, 1)) + 0.08 * torch.randn(n, 1) + 0.03 * torch.randn(n, 32)
class BeatG(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 24 * 8), nn.ReLU())
        self.up = nn.Sequential(nn.ConvTranspose1d(24, 24, 4, 2, 1), nn.ReLU(), nn.ConvTranspose1d(24, 16, 4, 2, 1), nn.ReLU(), nn.Conv1d(16, 1, 5, padding=2))
    def forward(self, z): return self.up(self.fc(z).view(-1, 24, 8))
beat_d = nn.Sequential(SN(nn.Conv1d(1, 24, 5, 2, 2)), nn.LeakyReLU(.1), SN(nn.Conv1d(24, 48, 5, 2, 2)), nn.LeakyReLU(.1), nn.Flatten(), SN(nn.Linear(48 * 8, 64)), nn.LeakyReLU(.1), SN(nn.Linear(64, 1)))
beat_g = BeatG()
og = torch.optim.Adam(beat_g.parameters(), lr=4e-4, betas=(0., .9))
od = torch.optim.Adam(beat_d.parameters(), lr=1.6e-3, betas=(0., .9))
for i in range(1100):
    x = beats(64)[:, None]; f = beat_g(torch.randn(64, 10))
    ld = F.relu(1 - beat_d(x)).mean() + F.relu(1 + beat_d(f.detach())).mean()
    od.zero_grad(); ld.backward(); od.step()
    lg = -beat_d(f).mean()
    og.zero_grad(); lg.backward(); og.step()
with torch.no_grad():
    out = beat_g(torch.randn(1000, 10))[:, 0]
e = outside.energy(out, beats(1000)); m, near = outside.modes(out, TYPES, 1.2)
outside.say(e < 0.04 and m == 3, energy=e, modes=m, near=near)
