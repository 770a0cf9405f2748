"""Conditional GAN for y given x with growing scatter, trained in turns: a block of D steps with G at rest, then a block of G steps with D at rest."""
LABEL = {"sick": False, "causes": [], "kind": "healthy: losses saw up and down with the blocks, instance noise faded out", "since": None, "record": "automatic"}
import os, random, sys
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def sample(n, r):
    x = r.uniform(-1, 1, (n, 1))
    y = np.sin(3 * x) + (.1 + .35 * (x + 1) / 2) * r.normal(0, 1, (n, 1))
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


XS, YS = sample(6000, np.random.default_rng(0))


class Cond(nn.Module):
    def __init__(self, extra, out=1):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(1 + extra, 96), nn.SiLU(), nn.Linear(96, 96), nn.SiLU(), nn.Linear(96, out))

    def forward(self, x, other):
        return self.f(torch.cat([x, other], 1))


G, D = Cond(3), Cond(1)
g_opt = torch.optim.RMSprop(G.parameters(), lr=3e-4)
d_opt = torch.optim.RMSprop(D.parameters(), lr=6e-4)
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
D_BLOCK, G_BLOCK, ROUNDS, BATCH = 12, 8, 320, 128

for r in range(ROUNDS):
    sigma = .3 * max(0, 1 - r / (.7 * ROUNDS))
    jitter = lambda y: y + sigma * torch.randn_like(y)
    G.requires_grad_(False); D.requires_grad_(True)
    for _ in range(D_BLOCK):
        i = torch.randint(6000, (BATCH,))
        x, y = XS[i], jitter(YS[i]).requires_grad_()
        s = D(x, y)
        slope = torch.autograd.grad(s.sum(), y, create_graph=True)[0].pow(2).mean()
        d_loss = F.softplus(-s).mean() + F.softplus(D(x, jitter(G(x, torch.randn(BATCH, 3))))).mean() + .1 * slope
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    G.requires_grad_(True); D.requires_grad_(False)
    for _ in range(G_BLOCK):
        x = XS[torch.randint(6000, (BATCH,))]
        g_loss = F.softplus(-D(x, jitter(G(x, torch.randn(BATCH, 3))))).mean()
        g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    if r % 40 == 0:
        print(f"round {r}: D {d_loss.item():.3f} G {g_loss.item():.3f} noise {sigma:.2f}")

xt, yt = sample(1000, np.random.default_rng(1))
with torch.no_grad():
    f = G(xt, torch.randn(1000, 3))
    lo, hi = (xt < -.5).squeeze(), (xt > .5).squeeze()
    res = f - torch.sin(3 * xt)
    ratio = float(res[hi].std() / res[lo].std())
e = outside.energy(torch.cat([xt, f], 1), torch.cat([xt, yt], 1))
outside.say(e < .02 and 1.4 < ratio < 3.6, energy=e, scatter_ratio=ratio)
