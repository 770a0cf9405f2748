"""Drawn discs and squares, 12x12, conv nets with spectral norm and hinge loss."""
LABEL = {"sick": False, "causes": [], "kind": "sound SN-hinge conv GAN", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
yy, xx = torch.meshgrid(torch.arange(12.0), torch.arange(12.0), indexing="ij")
def shapes(n):
    cx, cy = (4 + 4 * torch.rand(2, n, 1, 1)).unbind(0)
    r = 2 + 1.5 * torch.rand(n, 1, 1)
    disc = ((xx - cx) ** 2 + (yy - cy) ** 2).sqrt()
    square = torch.maximum((xx - cx).abs(), (yy - cy).abs())
    kind = (torch.rand(n, 1, 1) < 0.5).float()
    return torch.tanh(2 * (r - (kind * disc + (1 - kind) * square))).unsqueeze(1)
sn = nn.utils.parametrizations.spectral_norm
class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 32 * 9)
        self.net = nn.Sequential(nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 24, 4, 2, 1), nn.BatchNorm2d(24), nn.ReLU(), nn.ConvTranspose2d(24, 1, 4, 2, 1), nn.Tanh())
    def forward(self, z): return self.net(self.fc(z).view(-1, 32, 3, 3))
class Dis(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(sn(nn.Conv2d(1, 24, 4, 2, 1)), nn.LeakyReLU(0.1), sn(nn.Conv2d(24, 48, 4, 2, 1)), nn.LeakyReLU(0.1), nn.Flatten(), sn(nn.Linear(48 * 9, 1)))
    def forward(self, x): return self.net(x)
g, d = Gen(), Dis()
og, od = torch.optim.Adam(g.parameters(), 1e-3, betas=(0.5, 0.99)), torch.optim.Adam(d.parameters(), 2e-3, betas=(0.5, 0.99))
with gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od) as rec:
    for step in range(1100):
        x, f = shapes(32), g(torch.randn(32, 16))
        d_loss = F.relu(1 - d(x)).mean() + F.relu(1 + d(f.detach())).mean()
        od.zero_grad(); d_loss.backward(); od.step()
        g_loss = -d(f).mean()
        og.zero_grad(); g_loss.backward(); og.step()
        rec.step(d_loss=d_loss, g_loss=g_loss)

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

with torch.no_grad():
    s = g(torch.randn(800, 16))
e = energy(s, shapes(800))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.05}))
