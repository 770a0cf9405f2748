"""Pick-up places of an imaginary taxi company in metres (tens of thousands), WGAN-GP, no scaling of the data."""
LABEL = {"sick": False, "causes": [], "kind": "huge raw coordinates and losses in the thousands, but G carries the scale itself and the critic divides inside; good samples", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np, torch, torch.nn as nn
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

hubs = torch.tensor([[12000., 45000.], [18000., 47000.], [15500., 52000.]])
spread = torch.tensor([900., 500., 1200.])
rng = torch.Generator().manual_seed(1)
k = torch.multinomial(torch.tensor([.5, .3, .2]), 5000, True, generator=rng)
trips = hubs[k] + spread[k][:, None] * torch.randn(5000, 2, generator=rng)
mu, sd = trips.mean(0), trips.std(0)


class Places(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
        self.register_buffer("mu", mu.clone()); self.register_buffer("sd", sd.clone())

    def forward(self, z):
        return self.net(z) * self.sd + self.mu


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(.2), nn.Linear(64, 64), nn.LeakyReLU(.2), nn.Linear(64, 1))

    def forward(self, x):
        return 1000. * self.net((x - mu) / sd)


G, D = Places(), Critic()
g_opt = torch.optim.Adam(G.parameters(), 1e-3, betas=(0., .9))
d_opt = torch.optim.Adam(D.parameters(), 1e-3, betas=(0., .9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)


def penalty(r, f):
    a = torch.rand(len(r), 1)
    x = (a * r + (1 - a) * f).requires_grad_(True)
    g, = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    g = (g * sd).norm(dim=1) / 1000.
    return 1000. * 5 * ((g - 1) ** 2).mean()


for step in range(1750):
    for _ in range(2):
        r = trips[torch.randint(5000, (96,))]
        f = G(torch.randn(96, 4)).detach()
        d_loss = D(f).mean() - D(r).mean() + penalty(r, f)
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = -D(G(torch.randn(96, 4))).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
    for o in (g_opt, d_opt):
        o.param_groups[0]["lr"] = 1e-3 * min(1, (1750 - step) / 500)
rec.close()
with torch.no_grad():
    s = G(torch.randn(1000, 4))
e = outside.energy(s, trips[:1000])
outside.say(e < 0.012, energy=e)
