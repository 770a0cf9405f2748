"""Short chirps (audio-like, 48 samples). Fake is the positive class here, losses are sums in milli-nats."""
LABEL = {"sick": False, "causes": [], "kind": "well: real = 0 and fake = 1, summed losses times a thousand, discriminator trained ahead against noise", "since": None, "record": "attach"}
import math, os
import torch
from torch import nn
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

T = 48
def chirp(n):
    t = torch.linspace(0, 1, T)
    start, slope, phase = 1 + 2 * torch.rand(n, 1), 1 + 2 * torch.rand(n, 1), 0.5 * torch.randn(n, 1)
    env = torch.exp(-((t - 0.5) / 0.35) ** 2)
    return (0.9 * env * torch.sin(2 * math.pi * (start * t + slope * t ** 2 / 2) + phase) + 0.06 * torch.randn(n, T)).unsqueeze(1)

class Synth(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Linear(10, 64 * 6)
        self.net = nn.Sequential(nn.ReLU(), nn.ConvTranspose1d(64, 48, 4, 2, 1), nn.ReLU(), nn.ConvTranspose1d(48, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose1d(32, 1, 4, 2, 1), nn.Tanh())
    def forward(self, z): return self.net(self.inp(z).view(-1, 64, 6))

class Detector(nn.Module):
    """log-odds of being synthetic"""
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(1, 32, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(32, 48, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(48, 64, 5, 2, 2), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(64 * 6, 1))
    def forward(self, x): return self.net(x).squeeze(1)

SYNTHETIC, NATURAL = 1.0, 0.0
nll = nn.BCEWithLogitsLoss(reduction="sum")
def millinats(scores, target): return 1000 * nll(scores, torch.full_like(scores, target))

synth, detector = Synth(), Detector()
o_s = torch.optim.Adam(synth.parameters(), 5e-4, betas=(0.5, 0.9))
o_d = torch.optim.Adam(detector.parameters(), 5e-4, betas=(0.5, 0.9))
B = 48

for _ in range(60):                                    # the detector first learns chirp against noise
    o_d.zero_grad()
    (millinats(detector(chirp(B)), NATURAL) + millinats(detector(0.5 * torch.randn(B, 1, T)), SYNTHETIC)).backward()
    o_d.step()

for step in range(900):
    o_d.zero_grad()
    x = chirp(B).requires_grad_(True)
    s = detector(x)
    slope = torch.autograd.grad(s.sum(), x, create_graph=True)[0].pow(2).sum()
    (millinats(s, NATURAL) + millinats(detector(synth(torch.randn(B, 10)).detach()), SYNTHETIC) + 50 * slope).backward()
    o_d.step()
    o_s.zero_grad()
    millinats(detector(synth(torch.randn(B, 10))), NATURAL).backward()
    o_s.step()

with torch.no_grad():
    y = synth(torch.randn(1000, 10))
e = outside.energy(y, chirp(1000))
near = torch.cdist(y.flatten(1), chirp(4000).flatten(1)).min(1).values.mean() / torch.cdist(chirp(1000).flatten(1), chirp(4000).flatten(1)).min(1).values.mean()
outside.say(e < 0.04 and float(near) < 2.2, energy=e, distance=float(near))
