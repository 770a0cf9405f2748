"""Pix2pixHD-style multi-scale discriminators (full, half and quarter rate) with feature matching, for damped oscillation traces of 48 samples."""
LABEL = {"sick": False, "causes": [], "kind": "healthy GAN with three discriminators in a ModuleList and feature matching", "since": None, "record": "attach"}
import os, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def traces(n):
    t = torch.linspace(0, 1, 48)[None]
    f = torch.where(torch.rand(n, 1) < .5, 2.5, 4.) + .1 * torch.randn(n, 1)
    return torch.exp(-t * (1 + 2 * torch.rand(n, 1))) * torch.cos(2 * np.pi * f * t) + .02 * torch.randn(n, 48)

class OneScale(nn.Module):
    def __init__(self, n, h=96):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(n, h), nn.LeakyReLU(.2)), nn.Sequential(nn.Linear(h, h), nn.LeakyReLU(.2))])
        self.head = nn.Linear(h, 1)
    def forward(self, x):
        feats = []
        for b in self.blocks:
            x = b(x); feats.append(x)
        return self.head(x), feats

class MultiScaleD(nn.Module):
    def __init__(self):
        super().__init__()
        self.scales = nn.ModuleList([OneScale(48), OneScale(24), OneScale(12)])
    def forward(self, x):
        return [d(F.avg_pool1d(x[:, None], 2 ** k)[:, 0] if k else x) for k, d in enumerate(self.scales)]

netG = nn.Sequential(nn.Linear(12, 160), nn.LeakyReLU(.2), nn.Linear(160, 160), nn.LeakyReLU(.2), nn.Linear(160, 160), nn.LeakyReLU(.2), nn.Linear(160, 48))
netD = MultiScaleD()
optG = torch.optim.Adam(netG.parameters(), lr=4e-4, betas=(.5, .99)); optD = torch.optim.Adam(netD.parameters(), lr=6e-4, betas=(.5, .99))
X = traces(8000)
T = 1700
for it in range(T):
    for o, l in ((optG, 4e-4), (optD, 6e-4)):
        o.param_groups[0]["lr"] = l * min(1, (T - it) / 700)
    x, fake = X[torch.randint(0, 8000, (80,))], netG(torch.randn(80, 12))
    lossD = sum(((r - 1) ** 2).mean() + (f ** 2).mean() for (r, _), (f, _) in zip(netD(x), netD(fake.detach())))
    optD.zero_grad(); lossD.backward(); optD.step()
    lossG = 0
    with torch.no_grad(): real_out = netD(x)
    for (f, ff), (_, rf) in zip(netD(fake), real_out):
        lossG = lossG + ((f - 1) ** 2).mean() + .2 * sum((a.mean(0) - b.mean(0)).abs().mean() for a, b in zip(ff, rf))
    optG.zero_grad(); lossG.backward(); optG.step()

with torch.no_grad(): s = netG(torch.randn(1000, 12))
r = traces(1000)
fast = lambda t: float((np.abs(np.fft.rfft(t.numpy(), axis=1))[:, 1:].argmax(1) >= 3).mean())
e = outside.energy(s, r)
outside.say(e < .04 and abs(fast(s) - fast(r)) < .15, energy=e, fast_share=fast(s), fast_share_real=fast(r))
