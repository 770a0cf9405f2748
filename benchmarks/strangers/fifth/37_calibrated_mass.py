"""Twelve scales weigh the same calibrated mass: readings all within a few hundredths. Packed discriminator, least squares."""
LABEL = {"sick": False, "causes": [], "kind": "well: one narrow mode whose spread is a hundredth of its level, discriminator of packed samples", "since": None, "record": "lines"}
import os, sys
import torch
import torch.nn as nn
import gandiag
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

DIM, PACK, GROUPS, NZ = 12, 3, 32, 16
level = 2.0 + 0.3 * torch.rand(DIM)
root = torch.randn(DIM, DIM) * 0.01 + 0.02 * torch.eye(DIM)

def weigh(n):
    return level + torch.randn(n, DIM) @ root.T

class Scales(nn.Module):
    """starts from the nominal mass, as every technician would"""
    def __init__(self):
        super().__init__()
        self.h = nn.Sequential(nn.Linear(NZ, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, DIM))
    def forward(self, z): return 2.0 + 0.1 * self.h(z)

class Inspector(nn.Module):
    def __init__(self):
        super().__init__()
        self.h = nn.Sequential(nn.Linear(DIM * PACK, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
    def forward(self, x):
        return self.h(((x - 2.0) * 20).reshape(-1, DIM * PACK))

G, D = Scales(), Inspector()
og = torch.optim.Adam(G.parameters(), 6e-4, betas=(0.0, 0.99))
od = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.0, 0.99))
sched = [torch.optim.lr_scheduler.CosineAnnealingLR(o, 1200, eta_min=5e-5) for o in (og, od)]

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od) as rec:
    for i in range(1200):
        real = weigh(PACK * GROUPS)
        fake = G(torch.randn(PACK * GROUPS, NZ))
        a, b = D(real), D(fake.detach())
        ld = 0.5 * ((a - 1) ** 2).mean() + 0.5 * (b ** 2).mean()
        od.zero_grad(); ld.backward(); od.step()
        lg = 0.5 * ((D(fake) - 1) ** 2).mean()
        og.zero_grad(); lg.backward(); og.step()
        for s in sched: s.step()
        rec.step(d_loss=ld, g_loss=lg, real=real, fake=fake)

with torch.no_grad():
    x = G(torch.randn(2000, NZ))
e = outside.energy(x, weigh(2000))
ratio = x.std(0) / weigh(4000).std(0)
outside.say(e < 0.04 and 0.6 < float(ratio.min()) and float(ratio.max()) < 1.5, energy=e, narrowest=float(ratio.min()), widest=float(ratio.max()))
