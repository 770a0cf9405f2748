"""Coloured discs 8x8 by a residual upsampling generator, hinge loss, spectral norm and EMA."""
LABEL = {"sick": False, "causes": [], "kind": "sound SNGAN with EMA", "since": None, "record": "automatic"}
import copy, json, os, sys
from dataclasses import dataclass
import torch
from torch import nn
import torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm as sn
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))

@dataclass
class Config:
    latent: int = 16
    width: int = 12
    batch: int = 32
    steps: int = 400
    n_dis: int = 1
    lr_g: float = 1e-3
    lr_d: float = 1e-3
    ema: float = 0.99

def discs(n):
    """a disc of one of three hues on a dark ground"""
    yy, xx = torch.meshgrid(torch.arange(8.), torch.arange(8.), indexing="ij")
    c = 2.5 + 2 * torch.rand(n, 2, 1, 1)
    rad = 1.6 + 1 * torch.rand(n, 1, 1)
    mask = torch.sigmoid(2 * (rad - ((yy - c[:, 0]) ** 2 + (xx - c[:, 1]) ** 2).sqrt()))[:, None]
    hue = torch.tensor([[.9, .1, -.6], [-.6, .8, .1], [.0, -.3, .9]])[torch.randint(3, (n,))] + 0.08 * torch.randn(n, 3)
    ground = torch.full((n, 3, 8, 8), -0.8)
    return (mask * hue[:, :, None, None] + (1 - mask) * ground).clamp(-1, 1)

class Up(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.b1, self.c1, self.b2, self.c2, self.s = nn.BatchNorm2d(i), nn.Conv2d(i, o, 3, 1, 1), nn.BatchNorm2d(o), nn.Conv2d(o, o, 3, 1, 1), nn.Conv2d(i, o, 1)
    def forward(self, x):
        u = lambda t: F.interpolate(t, scale_factor=2)
        return self.c2(F.relu(self.b2(self.c1(u(F.relu(self.b1(x))))))) + self.s(u(x))

class Down(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.c1, self.c2, self.s = sn(nn.Conv2d(i, o, 3, 1, 1)), sn(nn.Conv2d(o, o, 3, 1, 1)), sn(nn.Conv2d(i, o, 1))
    def forward(self, x):
        h = self.c2(F.relu(self.c1(x)))
        return F.avg_pool2d(h, 2) + F.avg_pool2d(self.s(x), 2)

class Generator(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.w = c.width
        self.fc = nn.Linear(c.latent, c.width * 16)
        self.blocks = Up(c.width, c.width)
        self.out = nn.Sequential(nn.BatchNorm2d(c.width), nn.ReLU(), nn.Conv2d(c.width, 3, 3, 1, 1), nn.Tanh())
    def forward(self, z):
        return self.out(self.blocks(self.fc(z).view(-1, self.w, 4, 4)))

class Discriminator(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.blocks = Down(3, 2 * c.width)
        self.fc = sn(nn.Linear(2 * c.width, 1))
    def forward(self, x):
        return self.fc(F.relu(self.blocks(x)).sum((2, 3))).squeeze(1)

def train(cfg, out):
    G, D = Generator(cfg), Discriminator(cfg)
    shadow = copy.deepcopy(G).requires_grad_(False)
    og = torch.optim.Adam(G.parameters(), cfg.lr_g, betas=(0.0, 0.9))
    od = torch.optim.Adam(D.parameters(), cfg.lr_d, betas=(0.0, 0.9))
    with gandiag.Recorder(out, generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
        for step in range(cfg.steps):
            for _ in range(cfg.n_dis):
                with torch.no_grad():
                    x_fake = G(torch.randn(cfg.batch, cfg.latent))
                loss = F.relu(1 - D(discs(cfg.batch))).mean() + F.relu(1 + D(x_fake)).mean()
                od.zero_grad(); loss.backward(); od.step()
            loss = -D(G(torch.randn(cfg.batch, cfg.latent))).mean()
            og.zero_grad(); loss.backward(); og.step()
            with torch.no_grad():
                for a, b in zip(shadow.parameters(), G.parameters()):
                    a.lerp_(b, 1 - cfg.ema)
                for a, b in zip(shadow.buffers(), G.buffers()):
                    a.copy_(b)
    return G, shadow

if __name__ == "__main__":
    torch.manual_seed(SEED)
    cfg = Config()
    G, shadow = train(cfg, sys.argv[1])
    with torch.no_grad():
        a = shadow(torch.randn(800, cfg.latent)).flatten(1)
    b = discs(800).flatten(1)
    m = lambda p, q: torch.cdist(p, q).mean()
    energy = float((2 * m(a, b) - m(a, a) - m(b, b)) / m(b, b))
    hue = a.view(-1, 3, 64).amax(2).argmax(1)
    share = torch.bincount(hue, minlength=3) / 800
    print(json.dumps({"outcome": {"energy": energy, "hues": share.tolist()}, "well": energy < 0.08 and float(share.min()) > 0.1}))
