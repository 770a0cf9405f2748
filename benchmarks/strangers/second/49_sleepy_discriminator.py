"""Squares, crosses and bars in 8x8 images; rates read from a config."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "learning_rate"], "kind": "D's rate is 1e-7 (typing error in the config)", "since": 0, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
CONFIG = """
lr_g = 1e-3
lr_d = 1e-7
beta1 = 0.5
batch = 48
steps = 700
"""
cfg = {k.strip(): float(v) for k, v in (l.split("=") for l in CONFIG.strip().splitlines())}
def glyphs(n):
    x = -torch.ones(n, 1, 8, 8)
    for i, k in enumerate(torch.randint(3, (n,)).tolist()):
        r, c = torch.randint(2, 6, (2,)).tolist()
        if k == 0: x[i, 0, r - 2:r + 2, c - 2:c + 2] = 1
        elif k == 1: x[i, 0, r, :] = 1; x[i, 0, :, c] = 1
        else: x[i, 0, :, c - 1:c + 1] = 1
    return x
pool = glyphs(3000)
class DCG(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 128)
        self.net = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
    def forward(self, z): return self.net(self.fc(z).view(-1, 32, 2, 2))
netG = DCG()
netD = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(128, 1))
optG = torch.optim.Adam(netG.parameters(), cfg["lr_g"], betas=(cfg["beta1"], 0.999))
optD = torch.optim.Adam(netD.parameters(), cfg["lr_d"], betas=(cfg["beta1"], 0.999))
for step in range(int(cfg["steps"])):
    x = pool[torch.randint(3000, (int(cfg["batch"]),))]
    f = netG(torch.randn(len(x), 16))
    optD.zero_grad()
    (F.softplus(-netD(x)).mean() + F.softplus(netD(f.detach())).mean()).backward()
    optD.step()
    optG.zero_grad()
    F.softplus(-netD(f)).mean().backward()
    optG.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(netG(torch.randn(800, 16)), pool[:800])
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.15}))
