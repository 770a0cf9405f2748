"""Eight-mode ring; Adam with weight decay in the discriminator."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "mode_collapse", "vanishing_generator_gradient"], "kind": "weight decay 0.3 holds D at nothing", "since": 0, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, math

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def ring(n):
    a = torch.randint(8, (n,)) * math.pi / 4
    return torch.stack([a.cos(), a.sin()], 1) * 2 + 0.08 * torch.randn(n, 2)
class GAN:
    def __init__(self):
        self.netG = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
        self.netD = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
        self.optG = torch.optim.Adam(self.netG.parameters(), 1e-3, betas=(0.5, 0.9))
        self.optD = torch.optim.Adam(self.netD.parameters(), 1e-3, betas=(0.5, 0.9), weight_decay=0.3)
    def step(self):
        fake = self.netG(torch.randn(128, 4))
        self.optD.zero_grad()
        (F.softplus(-self.netD(ring(128))).mean() + F.softplus(self.netD(fake.detach())).mean()).backward()
        self.optD.step()
        self.optG.zero_grad()
        F.softplus(-self.netD(fake)).mean().backward()
        self.optG.step()
gan = GAN()
with gandiag.Recorder(sys.argv[1], generator=gan.netG, discriminator=gan.netD, generator_optimizer=gan.optG, discriminator_optimizer=gan.optD, automatic=True):
    for _ in range(800):
        gan.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(gan.netG(torch.randn(1200, 4)), ring(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
