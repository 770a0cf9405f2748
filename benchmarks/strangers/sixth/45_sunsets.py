"""Sunsets (RGB, 16x16): horizon, sun and sky colour vary; networks built of blocks from a config."""
import os, sys
import torch, torch.nn as nn, torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault"], "since": 0, "record": "automatic",
         "kind": "D's blocks are in a plain Python list: its optimizer never sees them, only the last linear layer is trained"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
CONFIG = {"nz": 16, "d_channels": [3, 12, 16, 24], "g_channels": [32, 24, 16], "lr_g": 1.5e-3, "lr_d": 1.5e-3, "r1": 0.1, "batch": 24}


def sunsets(n):
    yy, xx = torch.arange(16.).view(1, 1, 16, 1), torch.arange(16.).view(1, 1, 1, 16)
    u = lambda a, b: a + (b - a) * torch.rand(n, 1, 1, 1)
    horizon, hue, sx = u(7, 12), u(0, 1), u(3, 13)
    sy = horizon - u(1, 5)
    sky = torch.cat([0.2 + 0.6 * hue, 0.1 - 0.3 * hue, 0.7 - 1.2 * hue], 1) - 0.04 * (horizon - yy).clamp(min=0)
    sea = torch.cat([-0.7 + 0.2 * hue, -0.6 + 0.1 * hue, -0.2 - 0.2 * hue], 1).expand(-1, -1, 16, 16)
    under = torch.sigmoid((yy - horizon) * 3)
    sun = torch.sigmoid((2.2 - ((yy - sy) ** 2 + (xx - sx) ** 2).sqrt()) * 3) * (1 - under)
    x = sky * (1 - under) + sea * under
    return (x * (1 - sun) + torch.tensor([0.95, 0.8, 0.3]).view(1, 3, 1, 1) * sun).clamp(-1, 1)


class Discriminator(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.stack = [
            nn.Sequential(nn.Conv2d(i, o, 4, 2, 1), nn.LeakyReLU(0.2)) for i, o in zip(channels[:-1], channels[1:])
        ]
        self.head = nn.Linear(channels[-1] * 4, 1)

    def forward(self, x):
        for block in self.stack:
            x = block(x)
        return self.head(x.flatten(1))


class Generator(nn.Module):
    def __init__(self, nz, channels):
        super().__init__()
        self.first = nn.Linear(nz, channels[0] * 4)
        ups = [nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(i, o, 3, 1, 1), nn.LeakyReLU(0.2))
               for i, o in zip(channels, channels[1:] + [12])]
        self.ups = nn.ModuleList(ups)
        self.last = nn.Conv2d(12, 3, 3, 1, 1)

    def forward(self, z):
        h = self.first(z).view(len(z), -1, 2, 2)
        for up in self.ups:
            h = up(h)
        return torch.tanh(self.last(h))


def train(G, D, og, od, steps):
    for _ in range(steps):
        x = sunsets(CONFIG["batch"]).requires_grad_()
        f = G(torch.randn(CONFIG["batch"], CONFIG["nz"]))
        dx = D(x)
        r1 = torch.autograd.grad(dx.sum(), x, create_graph=True)[0].pow(2).sum((1, 2, 3)).mean()
        loss = F.softplus(-dx).mean() + F.softplus(D(f.detach())).mean() + CONFIG["r1"] / 2 * r1
        od.zero_grad(); loss.backward(); od.step()
        loss = F.softplus(-D(f)).mean()
        og.zero_grad(); loss.backward(); og.step()


G, D = Generator(CONFIG["nz"], CONFIG["g_channels"]), Discriminator(CONFIG["d_channels"])
og = torch.optim.Adam(G.parameters(), CONFIG["lr_g"], betas=(0.5, 0.99))
od = torch.optim.Adam(D.parameters(), CONFIG["lr_d"], betas=(0.5, 0.99))
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    train(G, D, og, od, 1000)
with torch.no_grad():
    s = G(torch.randn(800, CONFIG["nz"]))
r = sunsets(800)
e = outside.energy(s, r)
gap = lambda x: torch.cdist(x.flatten(1), r.flatten(1)).min(1)[0].mean()
nearest = float(gap(s) / gap(sunsets(800)))
outside.say(e < 0.05 and nearest < 2.4, energy=e, nearest=nearest)
