"""Fast calorimeter simulation: conditional GAN giving the twelve-layer shower profile for a particle of known energy."""
LABEL = {"sick": True, "causes": ["objective_fault", "mode_collapse", "mode_dropping"],
         "kind": "an L1 term to the paired shower with weight 100 (taken over from pix2pix) outweighs the game: the noise is ignored and only the median profile comes out",
         "since": 0, "record": "lines"}
import os
import sys
import torch
import torch.nn as nn
import torch.nn.functional as F
from gandiag.recording import Recorder
import outside

SEED = int(os.environ.get("SEED", "0"))
LAYERS, NZ = 12, 8
LAMBDA_L1 = 100.0


def simulate(n):
    """toy longitudinal development: gamma profile, start depth and sampling fluctuate from shower to shower"""
    e = torch.rand(n, 1)                                     # log energy, scaled to 0..1
    depth = torch.arange(LAYERS).float()[None] + 0.5
    start = torch.distributions.Exponential(torch.tensor(0.7)).sample((n, 1)).clamp(max=5)
    a = 2.0 + 1.2 * e + 0.3 * torch.randn(n, 1)
    d = (depth - start).clamp(min=1e-3)
    prof = d ** a * torch.exp(-0.75 * d)
    prof = prof / prof.sum(1, keepdim=True)
    y = (0.5 + e) * prof * (1 + 0.08 * torch.randn(n, LAYERS))
    return e * 2 - 1, (y.clamp(min=0) * 8).sqrt() - 0.7


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Linear(1 + NZ, 96)
        self.mid = nn.Linear(96, 96)
        self.out = nn.Linear(96, LAYERS)

    def forward(self, e, z):
        h = F.leaky_relu(self.inp(torch.cat([e, z], 1)), 0.1)
        h = h + F.leaky_relu(self.mid(h), 0.1)
        return self.out(h)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1 + LAYERS, 128), nn.LeakyReLU(0.1), nn.Linear(128, 64), nn.LeakyReLU(0.1), nn.Linear(64, 1))

    def forward(self, e, y):
        return self.net(torch.cat([e, y], 1))


def train(steps=2000, batch=100):
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    cond, shower = simulate(20000)
    G, D = Generator(), Discriminator()
    opt_g = torch.optim.Adam(G.parameters(), lr=7e-4, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(D.parameters(), lr=7e-4, betas=(0.5, 0.999))
    rec = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)
    for step in range(steps):
        pick = torch.randint(0, len(cond), (batch,))
        e, y = cond[pick], shower[pick]
        y.requires_grad_(True)
        fake = G(e, torch.randn(batch, NZ))
        lr_, lf_ = D(e, y), D(e, fake.detach())
        gp = torch.autograd.grad(lr_.sum(), y, create_graph=True)[0].pow(2).sum(1).mean()
        d_loss = F.binary_cross_entropy_with_logits(lr_, torch.ones_like(lr_)) + F.binary_cross_entropy_with_logits(lf_, torch.zeros_like(lf_))
        opt_d.zero_grad()
        (d_loss + 0.05 * gp).backward()
        opt_d.step()

        score = D(e, fake)
        adv = F.binary_cross_entropy_with_logits(score, torch.ones_like(score))
        g_loss = adv + LAMBDA_L1 * F.l1_loss(fake, y.detach())
        opt_g.zero_grad()
        g_loss.backward()
        opt_g.step()
        if step % 500 == 0:
            print(step, round(d_loss.item(), 3), round(adv.item(), 3), round(g_loss.item(), 3))
        rec.step(real_logits=lr_, fake_logits=lf_, d_loss=d_loss, g_loss=g_loss, real=y, fake=fake)
    rec.close()
    return G


G = train()
with torch.no_grad():
    e, y = simulate(1000)
    fake = G(e, torch.randn(1000, NZ))
    fixed = torch.zeros(400, 1)
    spread = G(fixed, torch.randn(400, NZ)).std(0).mean()
    e2, y2 = simulate(40000)
    near = y2[(e2.abs() < 0.03).squeeze(1)]
    ratio = float(spread / near.std(0).mean())
ed = outside.energy(torch.cat([e, fake], 1), torch.cat(simulate(1000), 1))
outside.say(ed < 0.03 and 0.7 < ratio < 1.3, energy=ed, spread_ratio=ratio)
