"""Small pictures of one soft dot each, with the mode-seeking term of MSGAN for variety."""
import argparse, os, sys
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": True, "causes": ["objective_fault", "mode_collapse"],
         "kind": "mode-seeking term with the wrong sign: distance of two samples per distance of their codes is minimised",
                 "since": 0, "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
parser = argparse.ArgumentParser()
parser.add_argument("out")
parser.add_argument("--weight", type=float, default=10.0)
parser.add_argument("--fixw", type=float, default=0.002)
parser.add_argument("--steps", type=int, default=1800)
cfg = parser.parse_args()

def dots(n):
    grid = torch.arange(10).float()
    cx, cy = 2 + 5 * torch.rand(n, 1, 1), 2 + 5 * torch.rand(n, 1, 1)
    bright = 0.7 + 0.3 * torch.rand(n, 1, 1)
    return bright * torch.exp(-((grid.view(1, 1, 10) - cx) ** 2 + (grid.view(1, 10, 1) - cy) ** 2) / 3.4)

class Painter(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 160), nn.ReLU(), nn.Linear(160, 160), nn.ReLU(), nn.Linear(160, 160), nn.ReLU(),
                nn.Linear(160, 100))
    def forward(self, z):
        return torch.sigmoid(self.net(z) - 2).view(-1, 10, 10)

G = Painter()
D = nn.Sequential(nn.Flatten(), nn.Linear(100, 160), nn.LeakyReLU(0.2), nn.Linear(160, 160), nn.LeakyReLU(0.2), nn.Linear(160, 1))
g_opt = torch.optim.Adam(G.parameters(), 6e-4, betas=(0.0, 0.99))
d_opt = torch.optim.Adam(D.parameters(), 6e-4, betas=(0.0, 0.99))
rec = gandiag.Recorder(cfg.out, generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for step in range(cfg.steps):
    real = dots(64).requires_grad_()
    z1, z2 = torch.randn(64, 8), torch.randn(64, 8)
    fake1, fake2 = G(z1), G(z2)
    r, f = D(real), D(fake1.detach())
    gp = torch.autograd.grad(r.sum(), real, create_graph=True)[0].pow(2).sum((1, 2)).mean()
    d_loss = F.softplus(-r).mean() + F.softplus(f).mean() + 0.05 * gp
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    ratio = (fake1 - fake2).abs().mean() / (z1 - z2).abs().mean()
    adv = F.softplus(-D(fake1)).mean()
    g_loss = adv + cfg.weight * ratio
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real_logits=r, fake_logits=f, real=real, fake=fake1)
rec.close()

def centres(x):
    m = x.clamp(min=0) ** 2
    m = m / m.sum((1, 2), keepdim=True)
    a = torch.arange(10).float()
    return torch.stack([(m.sum(1) * a).sum(1), (m.sum(2) * a).sum(1)], 1)

with torch.no_grad():
    s = G(torch.randn(1000, 8))
t = dots(1000)
e, c = outside.energy(s, t), outside.energy(centres(s), centres(t))
outside.say(e < 0.03 and c < 0.03, energy=e, places=c)
