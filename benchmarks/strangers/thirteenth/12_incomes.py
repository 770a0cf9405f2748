"""WGAN-GP for household income and rent in plain euros; the nets scale inside, so the losses come out in thousands of euros."""
LABEL = {"sick": False, "causes": [], "kind": "healthy: losses of thousands because the critic scores in euros", "since": None, "record": "lines"}
import os, random, sys
import numpy as np, torch, torch.nn as nn
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
EURO = 20000.0


def households(n, seed):
    r = np.random.default_rng(seed)
    pensioner = r.random(n) < .35
    income = np.where(pensioner, r.lognormal(9.9, .2, n), r.lognormal(10.7, .35, n))
    rent = np.where(pensioner, 4500 + .12 * income, 5000 + .22 * income) + r.normal(0, 900, n)
    return torch.tensor(np.stack([income, rent], 1), dtype=torch.float32)


data = households(6000, 0)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(5, 96), nn.SiLU(), nn.Linear(96, 96), nn.SiLU(), nn.Linear(96, 2))

    def forward(self, z):
        return nn.functional.softplus(self.f(z)) * EURO


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(2, 96), nn.LeakyReLU(.2), nn.Linear(96, 96), nn.LeakyReLU(.2), nn.Linear(96, 1))

    def forward(self, euros):
        return self.f(euros / EURO * torch.tensor([1., 2.5])) * EURO


G, D = Generator(), Critic()
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0., .9))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0., .9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)

for it in range(1800):
    for _ in range(2):
        real = data[torch.randint(len(data), (128,))]
        fake = G(torch.randn(128, 5)).detach()
        u = torch.rand(128, 1)
        m = (u * real + (1 - u) * fake).requires_grad_()
        slope = torch.autograd.grad(D(m).sum(), m, create_graph=True)[0].norm(2, 1)
        d_loss = D(fake).mean() - D(real).mean() + 2 * EURO * ((slope - 1).clamp(min=0) ** 2).mean()
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = -D(G(torch.randn(128, 5))).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
    if it % 300 == 0:
        print(f"{it}: critic {d_loss.item():,.0f} EUR, generator {g_loss.item():,.0f} EUR")
rec.close()

with torch.no_grad():
    f = G(torch.randn(1000, 5))
test = households(1000, 1)
s = test.std(0)
q = torch.tensor([.1, .5, .9])
qerr = float(((torch.quantile(f, q, dim=0) - torch.quantile(test, q, dim=0)).abs() / s).max())
e = outside.energy(f / s, test / s)
outside.say(e < 0.03 and qerr < 0.35, energy=e, worst_quantile=qerr)
