"""Forty sensors of a plant in their own units; a Wasserstein critic with gradient penalty."""
LABEL = {"sick": False, "causes": [], "kind": "well: critic scores of large scale, separated by more than 0.9 of AUC while the generator goes on learning", "since": None, "record": "lines"}
import os, sys
import torch
from torch import nn
import gandiag
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
DIM, Z, B, N_CRITIC = 40, 16, 64, 5

mix = torch.randn(6, DIM) / 6 ** 0.5
shift = torch.randn(3, DIM) * 0.7
units = 5 + 20 * torch.rand(DIM)
level = 50 * torch.randn(DIM)

def plant(n):
    regime = torch.multinomial(torch.tensor([0.5, 0.3, 0.2]), n, replacement=True)
    hidden = torch.tanh(torch.randn(n, 6) * 1.5)
    x = hidden @ mix + shift[regime] + 0.05 * torch.randn(n, DIM)
    return x * units + level

data = plant(6000)
mu, sd = data.mean(0), data.std(0)

class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(Z, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, DIM))
        self.register_buffer("mu", mu); self.register_buffer("sd", sd)
    def forward(self, z):
        return self.body(z) * self.sd + self.mu

class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(DIM, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
    def forward(self, x):
        return 300 * self.body((x - mu) / sd).squeeze(1)   # the lipschitz bound is in units of the table / 300

G, D = Gen(), Critic()
og = torch.optim.Adam(G.parameters(), 5e-4, betas=(0.0, 0.9))
od = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.0, 0.9))

def penalty(r, f):
    a = torch.rand(len(r), 1)
    m = (((r - mu) / sd) * a + ((f - mu) / sd) * (1 - a)).requires_grad_(True)
    g, = torch.autograd.grad(D.body(m).sum(), m, create_graph=True)
    return ((g.norm(dim=1) - 1) ** 2).mean()

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od) as rec:
    for it in range(500):
        for _ in range(N_CRITIC):
            r = data[torch.randint(len(data), (B,))]
            f = G(torch.randn(B, Z)).detach()
            lr, lf = D(r), D(f)
            gp = 300 * 10 * penalty(r, f)
            d_loss = lf.mean() - lr.mean() + gp
            od.zero_grad(); d_loss.backward(); od.step()
        fake = G(torch.randn(B, Z))
        g_loss = -D(fake).mean()
        og.zero_grad(); g_loss.backward(); og.step()
        rec.step(d_loss=d_loss, g_loss=g_loss, d_penalty=gp, real=r, fake=fake, real_logits=lr, fake_logits=lf)

with torch.no_grad():
    s = (G(torch.randn(1000, Z)) - mu) / sd
e = outside.energy(s, (plant(1000) - mu) / sd)
outside.say(e < 0.03, energy=e)
