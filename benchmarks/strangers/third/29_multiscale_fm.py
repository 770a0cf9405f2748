"""Two-scale discriminator with LSGAN and feature matching, coarse sketches to coloured tiles."""
LABEL = {"sick": False, "causes": [], "kind": "sound pix2pixHD-like, two scales, feature matching", "since": None, "record": "lines"}
import json, os, sys
import torch, gandiag
from torch import nn
import torch.nn.functional as F
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

def tiles(n):
    """label map with two regions (1, -1) -> colour picture"""
    g = torch.arange(12.) - 5.5
    yy, xx = torch.meshgrid(g, g, indexing="ij")
    t = 6.28 * torch.rand(n, 1, 1)
    m = torch.where(xx * t.cos() + yy * t.sin() > 3 * torch.randn(n, 1, 1).clamp(-1, 1), 1., -1.)[:, None]
    sky, soil = torch.tensor([-.5, .2, .8]), torch.tensor([.6, .1, -.6])
    shade = 0.3 * torch.rand(n, 1, 1, 1) - .15
    y = torch.where(m > 0, sky[None, :, None, None], soil[None, :, None, None]) + shade
    return m, (y + 0.03 * torch.randn_like(y)).clamp(-1, 1)

class OneScale(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Sequential(nn.Conv2d(4, 12, 4, 2, 1), nn.LeakyReLU(.2)), nn.Sequential(nn.Conv2d(12, 16, 3, 1, 1), nn.LeakyReLU(.2)), nn.Conv2d(16, 1, 3, 1, 1)])
    def forward(self, x):
        feats = []
        for l in self.layers:
            x = l(x); feats.append(x)
        return feats
class MultiScale(nn.Module):
    def __init__(self):
        super().__init__()
        self.ds = nn.ModuleList([OneScale(), OneScale()])
    def forward(self, a, b):
        x = torch.cat([a, b], 1)
        out = []
        for d in self.ds:
            out.append(d(x)); x = F.avg_pool2d(x, 2)
        return out
class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Conv2d(2, 12, 4, 2, 1), nn.ReLU(), nn.Conv2d(12, 16, 3, 1, 1), nn.ReLU(), nn.ConvTranspose2d(16, 12, 4, 2, 1), nn.ReLU())
        self.o = nn.Conv2d(13, 3, 3, 1, 1)
    def forward(self, a):
        noise = torch.randn(len(a), 1, 1, 1).expand(-1, 1, 12, 12)
        return torch.tanh(self.o(torch.cat([self.f(torch.cat([a, noise], 1)), a], 1)))

gen, dis = Gen(), MultiScale()
og, od = torch.optim.Adam(gen.parameters(), 2e-3, (.5, .999)), torch.optim.Adam(dis.parameters(), 1e-3, (.5, .999))
rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=og, discriminator_optimizer=od)
lsq = lambda outs, t: sum(((o[-1] - t) ** 2).mean() for o in outs)
for step in range(260):
    a, b = tiles(16)
    f = gen(a)
    real, fake = dis(a, b), dis(a, f.detach())
    d_loss = .5 * (lsq(real, 1) + lsq(fake, 0))
    od.zero_grad(); d_loss.backward(); od.step()
    fake = dis(a, f)
    with torch.no_grad():
        real = dis(a, b)
    fm = sum(F.l1_loss(p, q) for x, y in zip(fake, real) for p, q in zip(x[:-1], y[:-1]))
    g_loss = lsq(fake, 1) + 5 * fm
    og.zero_grad(); g_loss.backward(); og.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
a, b = tiles(500)
with torch.no_grad():
    f = gen(a)
err = float(F.l1_loss(f, b))
print(json.dumps({"outcome": {"l1": err, "l1_of_mean_colours": float(F.l1_loss(b.mean((0, 2, 3), keepdim=True).expand_as(b), b))}, "well": err < 0.15}))
