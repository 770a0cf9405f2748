"""Relativistic walks."""
# Relativistic average GAN (Jolicoeur-Martineau 2018) for short AR(1) return series with volatility clusters
import os, random, sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "relativistic average loss: both losses sit near log 2 all along, D near chance; convolutional G against a dense D that sees values and jumps",
         "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)
LEN, CH_Z, BS, N_ITER = 12, 4, 64, 1300


def returns(n):
    vol = torch.where(torch.rand(n, 1) < 0.3, 1.6, 0.5)
    x, out = vol[:, 0] * torch.randn(n), []
    for _ in range(LEN):
        x = 0.8 * x + 0.6 * vol[:, 0] * torch.randn(n)
        out.append(x)
    return torch.stack(out, 1)


class SeqGen(nn.Module):
    def __init__(self):
        super().__init__()
        self.glob = nn.Linear(6, 24)
        self.c1 = nn.Conv1d(CH_Z, 24, 5, padding=2)
        self.c2 = nn.Conv1d(24, 24, 5, padding=4, dilation=2)
        self.c3 = nn.Conv1d(24, 1, 3, padding=1)

    def forward(self, z):
        zl, zg = z[:, :CH_Z * LEN].view(-1, CH_Z, LEN), z[:, CH_Z * LEN:]
        g = self.glob(zg).unsqueeze(2)
        h = F.leaky_relu(self.c1(zl) + g, 0.1)
        h = F.leaky_relu(self.c2(h), 0.1) * torch.exp(0.3 * torch.tanh(g))
        return self.c3(h).squeeze(1)


class SeqCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(2 * LEN, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1))

    def forward(self, x):
        jumps = F.pad(x[:, 1:] - x[:, :-1], (1, 0))
        return self.fc(torch.cat([x, 2 * jumps], 1)).squeeze(1)


G, D = SeqGen(), SeqCritic()
og = torch.optim.AdamW(G.parameters(), lr=2e-3, betas=(0.5, 0.99), weight_decay=1e-4)
od = torch.optim.AdamW(D.parameters(), lr=2e-3, betas=(0.5, 0.99), weight_decay=1e-4)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
decay = [torch.optim.lr_scheduler.LambdaLR(o, lambda k: max(0.02, 1 - k / N_ITER)) for o in (og, od)]
z = lambda: torch.randn(BS, CH_Z * LEN + 6)

for i in range(N_ITER):
    real, fake = returns(BS), G(z())
    dr, df = D(real), D(fake.detach())
    ld = (F.softplus(-(dr - df.mean())).mean() + F.softplus(df - dr.mean()).mean()) / 2
    od.zero_grad(); ld.backward(); od.step()
    for p in D.parameters():
        p.requires_grad_(False)
    dr, df = D(real), D(fake)
    lg = (F.softplus(dr - df.mean()).mean() + F.softplus(-(df - dr.mean())).mean()) / 2
    og.zero_grad(); lg.backward(); og.step()
    for p in D.parameters():
        p.requires_grad_(True)
    for d in decay:
        d.step()
    rec.step(d_loss=ld, g_loss=lg, real=real, fake=fake)
rec.close()

with torch.no_grad():
    s = G(torch.randn(1000, CH_Z * LEN + 6))
r = returns(1000)
ac = lambda a: float((a[:, 1:] * a[:, :-1]).mean() / a.square().mean())
e = outside.energy(s, r)
outside.say(e < 0.06 and abs(ac(s) - ac(r)) < 0.12, energy=e, autocorrelation=ac(s), of_reals=ac(r))
