"""Pulse curves from a GRU; the latents take a step uphill in D before they are used (LOGAN); gradients clipped at 0.1."""
LABEL = {"sick": False, "causes": [], "kind": "well: latents optimised before use, strict gradient clipping, recurrent generator, noise on D's inputs", "since": None, "record": "lines"}
import math, os, sys
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
T, NZ, B, STEPS = 16, 8, 40, 500

def pulse(n):
    t = torch.linspace(0, 1, T)
    peak, width, size = 0.25 + 0.3 * torch.rand(n, 1), 0.08 + 0.08 * torch.rand(n, 1), 0.8 + 0.6 * torch.rand(n, 1)
    echo = (torch.rand(n, 1) < 0.5).float() * 0.5
    x = size * (torch.exp(-((t - peak) / width) ** 2) + echo * torch.exp(-((t - peak - 0.3) / width) ** 2))
    return x + 0.03 * torch.randn(n, T)

class PulseG(nn.Module):
    def __init__(self, h=40):
        super().__init__()
        self.h0, self.gru, self.out = nn.Linear(NZ, h), nn.GRU(NZ + 2, h, batch_first=True), nn.Linear(h, 1)
        t = torch.linspace(0, 1, T)
        self.register_buffer("clock", torch.stack([t, (math.pi * t).sin()], 1))
    def forward(self, z):
        x = torch.cat([z[:, None].expand(-1, T, -1), self.clock.expand(len(z), -1, -1)], 2)
        return self.out(self.gru(x, torch.tanh(self.h0(z))[None])[0]).squeeze(2)

class PulseD(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(T, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    def forward(self, x): return self.net(x).squeeze(1)

G, D = PulseG(), PulseD()
og = torch.optim.Adam(G.parameters(), 1.5e-3, betas=(0.0, 0.99))
od = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.0, 0.99))

def uphill(z, rate=0.3, damping=0.1):
    z = z.requires_grad_(True)
    g, = torch.autograd.grad(D(G(z)).sum(), z)
    g = g / (damping + g.norm(dim=1, keepdim=True))       # natural-gradient like length
    moved = torch.rand(len(z), 1) < 0.6
    return (z + moved * rate * g).detach()

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od) as rec:
    for step in range(STEPS):
        sigma = 0.15 * max(0.0, 1 - step / 300)
        z = uphill(torch.randn(B, NZ))
        fake, real = G(z), pulse(B)
        noisy = [x + sigma * torch.randn_like(x) for x in (real, fake)]
        r, f = D(noisy[0].requires_grad_(True)), D(noisy[1].detach())
        slope, = torch.autograd.grad(r.sum(), noisy[0], create_graph=True)
        d_loss = F.relu(1 - r).mean() + F.relu(1 + f).mean() + 0.05 * slope.pow(2).sum(1).mean()
        od.zero_grad(); d_loss.backward(); nn.utils.clip_grad_norm_(D.parameters(), 0.1); od.step()
        g_loss = -D(noisy[1]).mean()
        og.zero_grad(); g_loss.backward(); nn.utils.clip_grad_norm_(G.parameters(), 0.1); og.step()
        if step == 350:
            for o in (og, od): o.param_groups[0]["lr"] *= 0.3
        rec.step(d_loss=d_loss, g_loss=g_loss)

with torch.no_grad():
    s = G(torch.randn(1000, NZ))
e = outside.energy(s, pulse(1000))
outside.say(e < 0.04, energy=e)
