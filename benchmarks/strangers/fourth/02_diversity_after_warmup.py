"""Drawn boxes and crosses, 12x12, by a hinge GAN with a diversity term after the warm-up."""
LABEL = {"sick": True, "causes": ["numerical_failure"], "kind": "pairwise distances' square root of zero on the diagonal, term switched on at 300", "since": 300, "record": "automatic"}
import json, os, sys
from dataclasses import dataclass
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

@dataclass
class Config:
    z: int = 16
    batch: int = 24
    steps: int = 480
    lr_g: float = 4e-4
    lr_d: float = 8e-4
    div_from: int = 300
    div_weight: float = 0.01

def draw(n, s=12):
    img = torch.full((n, 1, s, s), -1.0)
    cx, cy, r = torch.randint(3, 9, (n,)), torch.randint(3, 9, (n,)), torch.randint(2, 4, (n,))
    for i in range(n):
        x, y, k = int(cx[i]), int(cy[i]), int(r[i])
        if i % 2:
            img[i, 0, max(0, y - k):y + k + 1, max(0, x - k):x + k + 1] = 1
        else:
            img[i, 0, y, max(0, x - k):x + k + 1] = 1
            img[i, 0, max(0, y - k):y + k + 1, x] = 1
    return img

def mean_pairwise_distance(x):
    x = x.flatten(1)
    return torch.sqrt(((x[:, None] - x[None]) ** 2).sum(-1)).mean()

class Generator(nn.Module):
    def __init__(self, z):
        super().__init__()
        self.fc = nn.Linear(z, 24 * 9)
        self.up = nn.Sequential(nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(24, 24, 3, 1, 1), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(24, 1, 3, 1, 1), nn.Hardtanh())
    def forward(self, z):
        return self.up(self.fc(z).view(-1, 24, 3, 3))

cfg = Config()
data = draw(2000)
G = Generator(cfg.z)
sn = nn.utils.spectral_norm
D = nn.Sequential(sn(nn.Conv2d(1, 16, 4, 2, 1)), nn.LeakyReLU(0.1), sn(nn.Conv2d(16, 32, 4, 2, 1)), nn.LeakyReLU(0.1), nn.Flatten(), sn(nn.Linear(32 * 9, 1)))
g_opt = torch.optim.Adam(G.parameters(), cfg.lr_g, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), cfg.lr_d, betas=(0.0, 0.9))

def train(cfg):
    for step in range(cfg.steps):
        real = data[torch.randint(len(data), (cfg.batch,))]
        with torch.no_grad():
            fake = G(torch.randn(cfg.batch, cfg.z))
        d_loss = F.relu(1 - D(real)).mean() + F.relu(1 + D(fake)).mean()
        d_opt.zero_grad(set_to_none=True)
        d_loss.backward()
        d_opt.step()
        fake = G(torch.randn(cfg.batch, cfg.z))
        g_loss = -D(fake).mean()
        if step >= cfg.div_from:
            g_loss = g_loss - cfg.div_weight * mean_pairwise_distance(fake)
        g_opt.zero_grad(set_to_none=True)
        g_loss.backward()
        g_opt.step()

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True):
    train(cfg)
with torch.no_grad():
    s = G(torch.randn(500, cfg.z))
finite = float(torch.isfinite(s).float().mean())
print(json.dumps({"outcome": {"finite": finite}, "well": finite == 1.0}))
