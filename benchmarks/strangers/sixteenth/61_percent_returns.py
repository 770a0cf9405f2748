"""Daily percent returns of four correlated stocks with fat tails: a WGAN-GP scenario generator for a risk desk."""
LABEL = {"sick": False, "causes": [], "kind": "heavy-tailed data with outliers of 15 sigma, Student noise at the input, a critic loss multiplied by 500 (habit from an accounting in basis points), so scores and gradients are in the hundreds", "since": None, "record": "attach"}
import os
import numpy as np, torch
from torch import nn
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.set_num_threads(1); torch.manual_seed(SEED); np.random.seed(SEED)

ASSETS = ["BANK", "OIL", "TECH", "UTIL"]
VOL = np.array([1.4, 1.9, 1.6, 0.8])
CORR = np.array([[1, .5, .4, .3], [.5, 1, .3, .2], [.4, .3, 1, .1], [.3, .2, .1, 1]])
BP = 500.0          # the whole desk thinks in basis points of half a percent


def market(n, rng):
    """multivariate Student t, 3.5 degrees of freedom, in percent"""
    z = rng.standard_normal((n, 4)) @ np.linalg.cholesky(CORR).T
    w = rng.chisquare(3.5, size=(n, 1)) / 3.5
    return (0.04 + VOL * z / np.sqrt(w) * 0.7).astype("float32")


rng = np.random.default_rng(100 + SEED)
history = torch.tensor(market(6000, rng))


class ScenarioGenerator(nn.Module):
    def __init__(self, k=6):
        super().__init__()
        self.k = k
        self.body = nn.Sequential(nn.Linear(k + 1, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 4))
        self.skip = nn.Linear(k, 4, bias=False)

    def forward(self, z):
        # z: normals times a common Student mixing scale; let the net see log-scale only
        s = z[:, -1:]
        return torch.exp(s) * (self.skip(z[:, :-1]) + self.body(torch.cat([z[:, :-1], s], 1)) * 0.3)


def noise(n):
    s = -0.5 * torch.log(torch.distributions.Chi2(3.5).sample((n, 1)) / 3.5)
    return torch.cat([torch.randn(n, 6), s], 1)


G = ScenarioGenerator()
C = nn.Sequential(nn.Linear(4, 96), nn.LeakyReLU(0.1), nn.Linear(96, 96), nn.LeakyReLU(0.1), nn.Linear(96, 1))
opt_c = torch.optim.Adam(C.parameters(), lr=6e-4, betas=(0.5, 0.9))
opt_g = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.5, 0.9))
sched_g = torch.optim.lr_scheduler.LinearLR(opt_g, 1.0, 0.1, 1500)

for step in range(1500):
    for _ in range(3):
        r = history[torch.randint(len(history), (128,))]
        with torch.no_grad():
            f = G(noise(128))
        u = torch.rand(128, 1)
        m = (u * r + (1 - u) * f).requires_grad_(True)
        g, = torch.autograd.grad(C(m).sum(), m, create_graph=True)
        gp = (g.norm(2, dim=1) - 1).pow(2).mean()
        loss_c = BP * (C(f).mean() - C(r).mean() + 5 * gp)
        opt_c.zero_grad(); loss_c.backward(); opt_c.step()
    loss_g = -BP * C(G(noise(128))).mean()
    opt_g.zero_grad(); loss_g.backward(); opt_g.step(); sched_g.step()
    if step % 250 == 0:
        print(f"{step:5d} critic {loss_c.item():10.1f} generator {loss_g.item():10.1f}")

with torch.no_grad():
    fake = G(noise(20000)).numpy()
real = market(20000, np.random.default_rng(7))
e = outside.energy(fake, real)
var99 = np.abs(np.quantile(fake, .01, axis=0) / np.quantile(real, .01, axis=0) - 1).max()
corr = np.abs(np.corrcoef(np.tanh(fake.T / 2)) - np.corrcoef(np.tanh(real.T / 2))).max()
outside.say(e < 0.015 and var99 < 0.25 and corr < 0.12, energy=e, var99_error=float(var99), corr_error=float(corr))
