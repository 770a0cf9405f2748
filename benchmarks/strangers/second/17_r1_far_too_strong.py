"""Little blobs at random places in 8x8 images, conv nets, R1."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "vanishing_generator_gradient", "objective_fault"], "kind": "R1 weight 20000: the discriminator stays flat", "since": 0, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
grid = torch.stack(torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij"))
def blobs(n):
    c = 1.5 + 5 * torch.rand(n, 2, 1, 1)
    return (2 * torch.exp(-((grid - c) ** 2).sum(1) / 2.5) - 1).unsqueeze(1)
class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 32 * 4)
        self.net = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
    def forward(self, z): return self.net(self.fc(z).view(-1, 32, 2, 2))
class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(128, 1))
    def forward(self, x): return self.net(x)
g, d = G(), D()
og, od = torch.optim.Adam(g.parameters(), 1e-3, betas=(0.0, 0.99)), torch.optim.Adam(d.parameters(), 1e-3, betas=(0.0, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od, automatic=True)
for step in range(800):
    x = blobs(32).requires_grad_()
    f = g(torch.randn(32, 8))
    out = d(x)
    r1 = torch.autograd.grad(out.sum(), x, create_graph=True)[0].pow(2).sum((1, 2, 3)).mean()
    od.zero_grad()
    (F.softplus(-out).mean() + F.softplus(d(f.detach())).mean() + 10000 * r1).backward()
    od.step()
    og.zero_grad()
    F.softplus(-d(f)).mean().backward()
    og.step()
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

with torch.no_grad():
    s = g(torch.randn(800, 8))
e = energy(s, blobs(800))
good = float((torch.cdist(s.flatten(1), blobs(8000).flatten(1)).min(1).values < 1.5).float().mean())
print(json.dumps({"outcome": {"energy": e, "share_of_good_samples": good}, "well": e < 0.1 or good > 0.5}))
