"""Tilted bars, 10x10, hinge GAN with adaptive augmentation of both sides, fading noise and LeCam."""
LABEL = {"sick": False, "causes": [], "kind": "sound: augmentation on reals and fakes with p steered by D's signs, noise fading until 300, LeCam", "since": None, "record": "lines"}
import json, math, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

def bars(n, s=10):
    ii = torch.arange(s).float() - (s - 1) / 2
    th, off = math.pi * torch.rand(n, 1, 1), 4 * torch.rand(n, 1, 1) - 2
    d = ii[None, :, None] * th.cos() + ii[None, None] * th.sin() - off
    return (2 * torch.exp(-(d / 1.0) ** 2) - 1)[:, None]

class Ada:
    def __init__(self, target=0.45, speed=0.01): self.p, self.target, self.speed = 0.0, target, speed
    def __call__(self, x):
        n = len(x)
        def m(): return (torch.rand(n, 1, 1, 1) < self.p).float()
        f = m() * (torch.rand(n, 1, 1, 1) < 0.5).float()
        x = f * x.flip(3) + (1 - f) * x
        k = m()
        x = k * torch.rot90(x, 1, (2, 3)) + (1 - k) * x
        return x + m() * 0.2 * torch.randn(n, 1, 1, 1)
    def update(self, real_logits):
        self.p = min(0.8, max(0.0, self.p + self.speed * (1 if real_logits.detach().sign().mean() > self.target else -1)))

class LeCam:
    def __init__(self): self.r = self.f = 0.0
    def __call__(self, dr, df):
        self.r, self.f = 0.95 * self.r + 0.05 * dr.mean().item(), 0.95 * self.f + 0.05 * df.mean().item()
        return (F.relu(dr - self.f) ** 2).mean() + (F.relu(self.r - df) ** 2).mean()

sn = nn.utils.parametrizations.spectral_norm
G = nn.Sequential(nn.Linear(8, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 100), nn.Tanh(), nn.Unflatten(1, (1, 10, 10)))
D = nn.Sequential(sn(nn.Conv2d(1, 12, 4, 2, 1)), nn.LeakyReLU(0.1), nn.Flatten(), sn(nn.Linear(300, 96)), nn.LeakyReLU(0.1), sn(nn.Linear(96, 1)))
og, od = torch.optim.Adam(G.parameters(), 1e-3, (0.0, 0.9)), torch.optim.Adam(D.parameters(), 3e-3, (0.0, 0.9))
ada, lecam = Ada(), LeCam()
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for step in range(660):
    sigma = 0.3 * max(0.0, 1 - step / 300)
    view = lambda x: ada(x + sigma * torch.randn_like(x))
    x = bars(32)
    f = G(torch.randn(32, 8))
    dr, df = D(view(x)), D(view(f.detach()))
    d_loss = F.relu(1 - dr).mean() + F.relu(1 + df).mean() + 0.01 * lecam(dr, df)
    od.zero_grad(); d_loss.backward(); od.step()
    ada.update(dr)
    g_loss = -D(view(f)).mean()
    og.zero_grad(); g_loss.backward(); og.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()

def energy(a, b):
    a, b = a.flatten(1), b.flatten(1)
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)
G.eval()
with torch.no_grad():
    e = energy(G(torch.randn(1000, 8)), bars(1000))
print(json.dumps({"outcome": {"energy": e, "p": ada.p}, "well": e < 0.05}))
