"""Waves with a fast carrier; the generator upsamples linearly and smooths."""
LABEL = {"sick": True, "causes": ["spectral_collapse", "discriminator_dominance"], "kind": "generator ends in linear upsampling by four: it cannot make the fast half of the spectrum", "since": 0, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, math

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
L = 32
def waves(n):
    t = torch.arange(L).float() / L
    return (torch.sin(2 * math.pi * (2 * t + torch.rand(n, 1))) * 0.6 + 0.5 * torch.sin(2 * math.pi * (11 * t + torch.rand(n, 1)))).unsqueeze(1)
class SmoothG(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(12, 16 * 8)
        self.conv = nn.Sequential(nn.ReLU(), nn.Conv1d(16, 24, 3, padding=1), nn.ReLU(), nn.Conv1d(24, 1, 3, padding=1))
        self.up = nn.Upsample(scale_factor=4, mode="linear", align_corners=False)
    def forward(self, z): return self.up(self.conv(self.fc(z).view(-1, 16, 8)))
class ConvD(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(1, 16, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(16, 32, 5, 2, 2), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(32 * 8, 1))
    def forward(self, x): return self.net(x)
G, D = SmoothG(), ConvD()
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.9)), torch.optim.Adam(D.parameters(), 5e-4, betas=(0.5, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for i in range(800):
    f = G(torch.randn(64, 12))
    ld = F.softplus(-D(waves(64))).mean() + F.softplus(D(f.detach())).mean()
    od.zero_grad(); ld.backward(); od.step()
    lg = F.softplus(-D(f)).mean()
    og.zero_grad(); lg.backward(); og.step()
    rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad():
    p = lambda w: torch.fft.rfft(w.squeeze(1)).abs().pow(2).mean(0)
    s, r = p(G(torch.randn(800, 12))), p(waves(800))
ratio = float((s[10:13].sum() / s.sum()) / (r[10:13].sum() / r.sum()))
print(json.dumps({"outcome": {"share_of_fast_band": ratio}, "well": ratio > 0.5}))
