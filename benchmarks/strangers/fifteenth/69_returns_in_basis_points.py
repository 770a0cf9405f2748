"""Two-day return paths of three correlated assets, in basis points, from a WGAN-GP (market risk, scenario generation)."""
LABEL = {"sick": False, "causes": [],
         "kind": "data, critic scores and losses are all in raw basis points (hundreds), with fat tails; the penalty keeps it honest",
         "since": None, "record": "attach"}
import os
import numpy as np
import torch
import torch.nn as nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
HORIZON, ASSETS = 2, 3


def historical(n, seed):
    r = np.random.default_rng(seed)
    L = np.linalg.cholesky(np.array([[1, .6, -.3], [.6, 1, -.2], [-.3, -.2, 1]]))
    vol = np.sqrt(7 / r.chisquare(7, size=(n, 1, 1)))               # one volatility per path: Student t, clustered
    z = r.normal(size=(n, HORIZON, ASSETS)) @ L.T
    bp = vol * z * np.array([110., 150., 45.]) + np.array([4., 6., 1.])
    return torch.tensor(bp.reshape(n, -1), dtype=torch.float32)


class ScenarioNet(nn.Module):
    def __init__(self, nz=20, unit=100.0):
        super().__init__()
        self.unit = unit
        self.trunk = nn.Sequential(nn.Linear(nz, 100), nn.LeakyReLU(0.1), nn.Linear(100, 100), nn.LeakyReLU(0.1))
        self.head = nn.Linear(100, HORIZON * ASSETS)

    def forward(self, z):
        return self.unit * self.head(self.trunk(z))


class Critic(nn.Module):
    """works in percent inside, answers in basis points"""
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(HORIZON * ASSETS, 100), nn.SiLU(), nn.Linear(100, 100), nn.SiLU(), nn.Linear(100, 1))

    def forward(self, bp):
        return 100.0 * self.net(bp / 100.0)


gen, critic = ScenarioNet(), Critic()
averaged = AveragedModel(gen, multi_avg_fn=get_ema_multi_avg_fn(0.995))
g_opt = torch.optim.Adam(gen.parameters(), lr=5e-4, betas=(0.0, 0.9))
c_opt = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.9))
hist, later = historical(12000, SEED), historical(1000, SEED + 999)

for update in range(2500):
    for _ in range(3):
        x = hist[torch.randint(0, len(hist), (200,))]
        y = gen(torch.randn(200, 20)).detach()
        a = torch.rand(200, 1)
        m = (a * x + (1 - a) * y).requires_grad_(True)
        slope = torch.autograd.grad(critic(m).sum(), m, create_graph=True)[0].norm(dim=1)
        c_loss = critic(y).mean() - critic(x).mean() + 1000 * (slope - 1).square().mean()
        c_opt.zero_grad()
        c_loss.backward()
        c_opt.step()
    g_loss = -critic(gen(torch.randn(200, 20))).mean()
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
    g_opt.param_groups[0]["lr"] = 5e-4 * (1 - update / 2600)
    c_opt.param_groups[0]["lr"] = 1e-3 * (1 - update / 2600)
    averaged.update_parameters(gen)
    if update % 250 == 0:
        print(f"update {update}  critic {c_loss.item():9.2f}  gen {g_loss.item():9.2f}")

with torch.no_grad():
    paths = averaged(torch.randn(4000, 20))
ed = outside.energy(paths, later)
vol_ratio = float((paths.std(0) / hist.std(0)).mean())
corr = float(np.abs(np.corrcoef(paths.numpy().T) - np.corrcoef(hist.numpy().T)).mean())
var99 = float(torch.quantile(paths.sum(1), 0.01) / torch.quantile(hist.sum(1), 0.01))
outside.say(ed < 0.02 and 0.85 < vol_ratio < 1.15 and corr < 0.1 and 0.75 < var99 < 1.3, energy=ed, vol=vol_ratio, corr_gap=corr, var99=var99)
