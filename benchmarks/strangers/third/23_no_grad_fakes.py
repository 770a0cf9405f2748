"""Mixed loss (adversarial + edge smoothness) on drawn triangles: the fakes that D judges for G were detached."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "discriminator_dominance"], "kind": "adversarial term of G computed on the detached fakes", "since": 0, "record": "lines"}
import json, os, sys
import torch, gandiag
from torch import nn
import torch.nn.functional as F
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

def triangles(n, size=12):
    g = torch.arange(float(size))
    yy, xx = torch.meshgrid(g, g, indexing="ij")
    top, mid, slope = 1 + 4 * torch.rand(n, 1, 1), 4 + 4 * torch.rand(n, 1, 1), .4 + .5 * torch.rand(n, 1, 1)
    inside = torch.minimum((yy - top) * slope - (xx - mid).abs(), 9.5 - yy)
    return torch.tanh(2 * inside)[:, None]

def variation(x):
    return (x[..., 1:] - x[..., :-1]).abs().mean() + (x[..., 1:, :] - x[..., :-1, :]).abs().mean()

G = nn.Sequential(nn.Linear(16, 288), nn.Unflatten(1, (32, 3, 3)), nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
D = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(.2), nn.Flatten(), nn.Linear(288, 1))
og, od = torch.optim.Adam(G.parameters(), 2e-3, (.5, .999)), torch.optim.Adam(D.parameters(), 1e-3, (.5, .999))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for step in range(220):
    x = triangles(32)
    images = G(torch.randn(32, 16))
    fake = images.detach()
    # discriminator
    d_loss = F.softplus(-D(x)).mean() + F.softplus(D(fake)).mean()
    od.zero_grad(); d_loss.backward(); od.step()
    # generator
    g_loss = F.softplus(-D(fake)).mean() + 0.05 * variation(images)
    og.zero_grad(); g_loss.backward(); og.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    s = G(torch.randn(800, 16)).flatten(1)
r = triangles(800).flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
e = float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.08}))
