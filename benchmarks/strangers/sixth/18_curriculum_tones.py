"""Tones of 32 samples; starts with strongly blurred data and noise on both sides and sharpens them in the course of training."""
import math, os
import torch
from torch import nn
import torch.nn.functional as F
import outside

LABEL = {"sick": False, "causes": [], "kind": "curriculum: blur of reals and fakes and instance noise shrink to "
        "nothing; recurrent generator", "since": None,
         "record": "attach"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
T = 32

def tones(n):
    t = torch.arange(T) / T
    f = 1 + 2 * torch.rand(n, 1)
    return (0.7 + 0.3 * torch.rand(n, 1)) * torch.sin(2 * math.pi * (f * t + torch.rand(n, 1))) + 0.03 * torch.randn(n, T)

class Recurrent(nn.Module):
    """A GRU of eight steps; each writes four samples."""
    def __init__(self, z=12, h=96):
        super().__init__()
        self.start, self.cell, self.write = nn.Linear(z, h), nn.GRUCell(z, h), nn.Sequential(nn.Linear(h, 96), nn.LeakyReLU(0.2),
                nn.Linear(96, 4))
    def forward(self, z):
        h, out = torch.tanh(self.start(z)), []
        for _ in range(T // 4):
            h = self.cell(z, h)
            out.append(self.write(h))
        return torch.cat(out, 1)

class Ear(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(T, 160), nn.LeakyReLU(0.2), nn.Linear(160, 160), nn.LeakyReLU(0.2), nn.Linear(160, 1))
    def forward(self, x):
        return self.net(x)

class Curriculum:
    def __init__(self, steps):
        self.steps = steps
    def __call__(self, x, step):
        left = max(0.0, 1 - step / (0.5 * self.steps))
        smooth = F.avg_pool1d(F.pad(x[:, None], (2, 2), mode="circular"), 5, 1).squeeze(1)
        return torch.lerp(x, smooth, left) + 0.3 * left * torch.randn_like(x)

def main(steps=1500, n=64):
    G, D = Recurrent(), Ear()
    og, od = torch.optim.Adam(G.parameters(), 8e-4, (0.0, 0.99)), torch.optim.Adam(D.parameters(), 8e-4, (0.0, 0.99))
    show = Curriculum(steps)
    for step in range(steps):
        fake = G(torch.randn(n, 12))
        x = show(tones(n), step).requires_grad_()
        r, f = D(x), D(show(fake.detach(), step))
        slope = torch.autograd.grad(r.sum(), x, create_graph=True)[0].pow(2).sum(1).mean()
        loss = F.softplus(-r).mean() + F.softplus(f).mean() + 0.1 * slope
        od.zero_grad(); loss.backward(); od.step()
        loss = F.softplus(-D(show(fake, step))).mean()
        og.zero_grad(); loss.backward(); og.step()
    with torch.no_grad():
        s = G(torch.randn(1000, 12))
    t = tones(1000)
    e = outside.energy(s, t)
    spectrum = lambda x: torch.fft.rfft(x).abs()
    c = outside.energy(spectrum(s), spectrum(t))
    outside.say(e < 0.03 and c < 0.03, energy=e, spectra=c)

main()
