"""Recurrent GAN for damped pendulum records: GRU generator, convolutional critic that is re-initialised every 250 steps."""
LABEL = {"sick": False, "causes": [], "kind": "the discriminator and its Adam are thrown away and born anew every 250 steps (as in our lab's lottery of critics, against over-confidence), so that its weights and gradients jump each time, while its loss stays near ln 4 all along; an EMA generator is shipped", "since": None, "record": "attach"}

# --- notebook cell 1
import os, copy, math
import numpy as np, torch
import torch.nn as nn, torch.nn.functional as F
import outside
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); torch.set_num_threads(1)

T = 16
def pendulum(n):
    t = torch.arange(T).float()[None]
    w = 0.5 + 0.5 * torch.rand(n, 1)
    damp = 0.02 + 0.08 * torch.rand(n, 1)
    a = 0.6 + 0.4 * torch.rand(n, 1)
    return (a * torch.exp(-damp * t) * torch.cos(w * t) + 0.02 * torch.randn(n, T))[..., None]

X = pendulum(4000)

# --- cell 2: models
class G_(nn.Module):
    def __init__(self, h=48, z=6):
        super().__init__()
        self.z = z
        self.h0 = nn.Linear(z, h)
        self.gru = nn.GRU(z, h, batch_first=True)
        self.o = nn.Linear(h, 1)
    def forward(self, n):
        z = torch.randn(n, self.z)
        e = torch.randn(n, T, self.z) * 0.05
        h, _ = self.gru(z[:, None] + e, torch.tanh(self.h0(z))[None])
        return self.o(h)

class D_(nn.Module):
    def __init__(self, c=32):
        super().__init__()
        self.c1 = nn.Conv1d(1, c, 4, 2, 1)
        self.c2 = nn.Conv1d(c, 2 * c, 4, 2, 1)
        self.l1 = nn.Linear(2 * c * 4, 64)
        self.l2 = nn.Linear(64, 1)
    def forward(self, x):
        h = F.leaky_relu(self.c1(x.transpose(1, 2)), 0.2)
        h = F.leaky_relu(self.c2(h), 0.2)
        return self.l2(F.leaky_relu(self.l1(h.flatten(1)), 0.2))

G, D = G_(), D_()
ema = copy.deepcopy(G)
g_opt = torch.optim.Adam(G.parameters(), lr=1.5e-3, betas=(0.5, 0.99))
d_opt = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.99))

def reborn():
    """fresh weights in the old modules, and an empty optimizer state"""
    for m in D.modules():
        if hasattr(m, "reset_parameters"):
            m.reset_parameters()
    d_opt.state.clear()

# --- cell 3: train
N = 1000
for i in range(N):
    if i and i % 250 == 0 and i < N - 200:
        reborn()
        for _ in range(25):      # give the newborn a head start
            loss = F.softplus(-D(X[torch.randint(4000, (64,))])).mean() + F.softplus(D(G(64).detach())).mean()
            d_opt.zero_grad(); loss.backward(); d_opt.step()
    if i == 800:
        for g in (g_opt, d_opt): g.param_groups[0]["lr"] *= 0.3
    xr = X[torch.randint(4000, (64,))]
    xf = G(64)
    ld = F.softplus(-D(xr)).mean() + F.softplus(D(xf.detach())).mean()
    d_opt.zero_grad(); ld.backward(); d_opt.step()
    lg = F.softplus(-D(xf)).mean()
    g_opt.zero_grad(); lg.backward(); g_opt.step()
    with torch.no_grad():
        for p, q in zip(ema.parameters(), G.parameters()): p.lerp_(q, 0.02)
    if i % 200 == 0: print(i, ld.item(), lg.item())

# --- cell 4
with torch.no_grad(): f = ema(1000); f0 = G(1000)
r = pendulum(1000)
e = outside.energy(f, r); e0 = outside.energy(f0, r)
spread = (f.std(0) / r.std(0)).squeeze()
outside.say(e < 0.03 and e0 < 0.05 and spread.min() > 0.5, energy=e, energy_raw=e0, least_spread=spread.min().item(), most_spread=spread.max().item())
