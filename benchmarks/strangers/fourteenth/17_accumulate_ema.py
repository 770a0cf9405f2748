"""Memory-poor GPU recipe: micro-batches of 8, gradients accumulated over 6, noisy labels, EMA weights for the pictures."""
LABEL = {"sick": False, "causes": [], "kind": "labels smoothed and a tenth of them flipped, tiny accumulated micro-batches, so losses are high and noisy; the EMA generator is well", "since": None, "record": "lines"}
import copy, os, random, sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside
from gandiag.recording import Recorder

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

MICRO, ACC, NZ, STEPS = 8, 6, 10, 1300


def stripes(n):
    """3x4x4 textile swatches: two dyes in vertical or horizontal stripes"""
    dyes = torch.tensor([[0.8, -0.5, -0.5], [-0.5, -0.2, 0.8], [0.7, 0.7, -0.4]])
    d = dyes[torch.randint(0, 3, (n,))] + 0.08 * torch.randn(n, 3)
    phase = torch.tensor([1.0, -1.0, 1.0, -1.0])
    vertical = (torch.rand(n, 1, 1, 1) < 0.5).float()
    mask = vertical * phase.view(1, 1, 1, 4) + (1 - vertical) * phase.view(1, 1, 4, 1)
    return d[:, :, None, None] * (0.7 + 0.3 * mask) + 0.04 * torch.randn(n, 3, 4, 4)


class SwatchG(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(NZ, 96), nn.Linear(96, 96), nn.Linear(96, 48)

    def forward(self, z):
        h = F.leaky_relu(self.a(z), 0.1)
        h = h + F.leaky_relu(self.b(h), 0.1)
        return self.c(h).view(-1, 3, 4, 4)


class SwatchD(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(48, 96), nn.Linear(96, 64), nn.Linear(64, 1)

    def forward(self, x):
        h = F.leaky_relu(self.a(x.flatten(1)), 0.2)
        return torch.sigmoid(self.c(F.leaky_relu(self.b(h), 0.2)))


def noisy(n, value):
    t = torch.full((n, 1), value)
    flip = torch.rand(n, 1) < 0.1
    return torch.where(flip, 1 - t, t)


G, D = SwatchG(), SwatchD()
G_ema = copy.deepcopy(G).requires_grad_(False)
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.99))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d,
                    discriminator_output="probability")

for step in range(STEPS):
    keep = {"r": [], "f": [], "x": [], "g": []}
    d_total = g_total = 0.0
    opt_d.zero_grad()
    for _ in range(ACC):
        x, z = stripes(MICRO), torch.randn(MICRO, NZ)
        fake = G(z).detach()
        pr, pf = D(x), D(fake)
        loss = F.binary_cross_entropy(pr, noisy(MICRO, 0.85)) + F.binary_cross_entropy(pf, noisy(MICRO, 0.1))
        (loss / ACC).backward()
        d_total += loss.item() / ACC
        for k, v in zip("rfxg", (pr, pf, x, fake)):
            keep[k].append(v.detach())
    opt_d.step()

    opt_g.zero_grad()
    for _ in range(ACC):
        p = D(G(torch.randn(MICRO, NZ)))
        loss = F.binary_cross_entropy(p, torch.ones_like(p))
        (loss / ACC).backward()
        g_total += loss.item() / ACC
    opt_g.step()
    with torch.no_grad():
        for pe, p in zip(G_ema.parameters(), G.parameters()):
            pe.lerp_(p, 0.005)
    cat = {k: torch.cat(v) for k, v in keep.items()}
    recorder.step(real_logits=cat["r"], fake_logits=cat["f"], d_loss=d_total, g_loss=g_total, real=cat["x"], fake=cat["g"])
    if step % 200 == 0:
        print(f"{step}  d {d_total:.3f}  g {g_total:.3f}")
recorder.close()

s = G_ema(torch.randn(1000, NZ))
e = outside.energy(s, stripes(1000))
outside.say(e < 0.08, energy=e)
