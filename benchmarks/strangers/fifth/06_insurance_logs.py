"""Insurance claims (7 columns, one of them a flag) by a plain GAN."""
LABEL = {"sick": True, "causes": ["numerical_failure", "data_mismatch"], "kind": "each batch is standardised by its own deviation, the rare flag is zero in a whole batch now and then", "since": None, "record": "automatic"}
import os, sys
import numpy as np
import torch
from torch import nn
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
torch.set_num_threads(1)
torch.manual_seed(SEED)
rng = np.random.default_rng(SEED)

def claims(n):
    age = rng.normal(46, 13, n).clip(18, 90)
    km = rng.gamma(3.0, 5.0, n)
    power = rng.normal(95, 25, n) + 0.6 * (60 - age)
    years = (age - 18) * rng.beta(2, 2, n)
    amount = rng.lognormal(1.2 + 0.01 * km, 0.7, n)
    repair = amount * rng.beta(4, 2, n)
    disputed = rng.random(n) < 0.04 + 0.05 * (amount > 6)
    return np.stack([age, km, power, years, amount, repair, disputed], 1).astype("float32")

table = claims(6000)
centre, spread = table.mean(0), table.std(0)
X = torch.tensor(table)

class Tab(nn.Module):
    def __init__(self, sizes, last=None):
        super().__init__()
        layers = []
        for a, b in zip(sizes[:-2], sizes[1:-1]):
            layers += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
        layers.append(nn.Linear(sizes[-2], sizes[-1]))
        if last is not None:
            layers.append(last)
        self.net = nn.Sequential(*layers)
    def forward(self, x):
        return self.net(x)

G = Tab([10, 96, 96, 7])
D = Tab([7, 128, 128, 1], nn.Sigmoid())
opt_G = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.9))
opt_D = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))

def d_loss_fn(p_real, p_fake):
    return -(torch.log(p_real + 1e-7) + torch.log(1 - p_fake + 1e-7)).mean()

def g_loss_fn(p_fake):
    return -torch.log(p_fake + 1e-7).mean()

def fit(steps=1200, batch=100):
    for step in range(steps):
        real = X[torch.randint(len(X), (batch,))]
        real = (real - real.mean(0)) / real.std(0)
        fake = G(torch.randn(batch, 10))
        opt_D.zero_grad()
        d_loss_fn(D(real), D(fake.detach())).backward()
        opt_D.step()
        opt_G.zero_grad()
        g_loss_fn(D(fake)).backward()
        opt_G.step()

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_G, discriminator_optimizer=opt_D, discriminator_output="probability", automatic=True):
    fit()

with torch.no_grad():
    s = G(torch.randn(1000, 10))
e = outside.energy(s, torch.tensor((claims(1000) - centre) / spread))
outside.say(e < 0.03, energy=e, finite=float(torch.isfinite(s).float().mean()))
