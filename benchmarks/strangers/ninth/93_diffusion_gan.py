"""
Diffusion-GAN (Wang et al. 2022), toy: D sees real and generated samples diffused to a random time t (and t itself);
the length of the chain is adapted by the overfitting heuristic r_d.
"""
import os, sys, math, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "instance noise with an adaptive diffusion chain: D's accuracy stays close to one half and the losses close to log 2, samples good", "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


class Diffusion:
    def __init__(self, t_max=40, target=.15):
        self.t_max, self.t, self.target = t_max, 8, target
        beta = torch.linspace(1e-4, 3e-2, t_max)
        self.abar = torch.cumprod(1 - beta, 0)

    def __call__(self, x):
        t = torch.randint(0, self.t, (len(x),))
        a = self.abar[t][:, None]
        xt = a.sqrt() * x + (1 - a).sqrt() * .5 * torch.randn_like(x)
        return torch.cat([xt, t[:, None].float() / self.t_max], 1)

    def adapt(self, logits):
        r = logits.sign().mean().item()
        self.t = int(min(self.t_max, max(4, self.t + math.copysign(1, r - self.target))))


def pinwheel(n, arms=5):
    k = np.random.randint(arms, size=n)
    r = np.random.randn(n) * .3 + 1.
    t = np.random.randn(n) * .08
    a = 2 * np.pi * k / arms + .25 * np.exp(r) + t
    return torch.tensor(np.stack([r * np.cos(a), r * np.sin(a)], 1) * 1.2, dtype=torch.float32)


class Res(nn.Module):
    def __init__(self, h):
        super().__init__(); self.a, self.b = nn.Linear(h, h), nn.Linear(h, h)
    def forward(self, x): return x + self.b(F.silu(self.a(F.silu(x))))


G = nn.Sequential(nn.Linear(4, 80), Res(80), Res(80), nn.SiLU(), nn.Linear(80, 2))
D = nn.Sequential(nn.Linear(3, 96), nn.LeakyReLU(.2), nn.Linear(96, 96), nn.LeakyReLU(.2), nn.Linear(96, 96), nn.LeakyReLU(.2), nn.Linear(96, 1))
og = torch.optim.Adam(G.parameters(), 5e-4, betas=(0.5, .99))
od = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, .99))
q = Diffusion()
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True)
for k in range(2200):
    real = pinwheel(160)
    lr_, lf_ = D(q(real)), D(q(G(torch.randn(160, 4)).detach()))
    loss = F.softplus(-lr_).mean() + F.softplus(lf_).mean()
    od.zero_grad(set_to_none=True); loss.backward(); od.step()
    if k % 8 == 0: q.adapt(lr_)
    loss = F.softplus(-D(q(G(torch.randn(160, 4))))).mean()
    og.zero_grad(set_to_none=True); loss.backward(); og.step()
rec.close()
with torch.no_grad():
    s = G(torch.randn(1000, 4))
e = outside.energy(s, pinwheel(1000))
ang = torch.atan2(s[:, 1], s[:, 0]); rad = s.norm(dim=1) / 1.2
arm = ((ang - .25 * torch.exp(rad)) / (2 * math.pi) * 5)
off = (arm - arm.round()).abs().mean().item()   # .25 if the arms are smeared out
outside.say(e < .02 and off < .17, energy=e, off_arm=off)
