"""Short waves; the discriminator pools its input before it looks."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "spectral_collapse", "mode_collapse"], "kind": "average pooling down to two values at the entrance of D: it cannot see the shape", "since": 0, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import math

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
L = 32
def waves(n):
    t = torch.arange(L).float() / L
    return (torch.sin(2 * math.pi * (4 * t + torch.rand(n, 1))) * (0.6 + 0.3 * torch.rand(n, 1)) + 0.3 * torch.randn(n, 1)).unsqueeze(1)
class WaveG(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 16 * 8)
        self.up = nn.Sequential(nn.ReLU(), nn.ConvTranspose1d(16, 16, 4, 2, 1), nn.ReLU(), nn.ConvTranspose1d(16, 1, 4, 2, 1))
    def forward(self, z): return self.up(self.fc(z).view(-1, 16, 8))
class WaveD(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool1d(2)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    def forward(self, x): return self.net(self.pool(x))
netG, netD = WaveG(), WaveD()
optimizerG, optimizerD = torch.optim.Adam(netG.parameters(), 1e-3, betas=(0.5, 0.9)), torch.optim.Adam(netD.parameters(), 1e-3, betas=(0.5, 0.9))
for i in range(900):
    x = waves(64)
    fake = netG(torch.randn(64, 8))
    netD.zero_grad()
    (F.binary_cross_entropy_with_logits(netD(x), torch.ones(64, 1)) + F.binary_cross_entropy_with_logits(netD(fake.detach()), torch.zeros(64, 1))).backward()
    optimizerD.step()
    netG.zero_grad()
    F.binary_cross_entropy_with_logits(netD(fake), torch.ones(64, 1)).backward()
    optimizerG.step()
with torch.no_grad():
    p = lambda w: torch.fft.rfft(w.squeeze(1)).abs().pow(2).mean(0)
    s, r = p(netG(torch.randn(800, 8))), p(waves(800))
ratio = float((s[4] / s.sum()) / (r[4] / r.sum()))
print(json.dumps({"outcome": {"carrier_share": ratio}, "well": ratio > 0.6}))
