"""GAIN: filling the gaps in a table of physiological measurements (30 % of the cells missing at random)."""
LABEL = {"sick": False, "causes": [],
         "kind": "imputation: D judges every cell of a mixed table (observed or imputed) with a hint, so there is no real or fake batch, and a reconstruction term of weight 50 belongs to the generator's loss",
         "since": None, "record": "attach"}
import os
import numpy as np
import torch
from torch import nn
import outside

SEED = int(os.environ.get("SEED", "0"))
np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

# ---- hyper-parameters as in the paper, more or less
miss_rate, hint_rate, alpha, batch, iterations = 0.3, 0.7, 50, 128, 4000
dim = 9


def patients(n):
    latent = np.random.normal(size=(n, 3))
    mix = np.random.default_rng(11).normal(size=(3, dim))
    x = latent @ mix + 0.25 * np.random.normal(size=(n, dim))
    x[:, 2] = np.exp(x[:, 2] / 3)
    x[:, 5] = x[:, 5] ** 2 / 4 + x[:, 5]
    return x


full = patients(5000)
lo, hi = full.min(0), full.max(0)
full = torch.tensor((full - lo) / (hi - lo), dtype=torch.float32)
mask = (torch.rand_like(full) > miss_rate).float()
table = full * mask


class Net(nn.Module):
    """same shape for both players: [values, mask or hint] -> one number in (0, 1) per cell"""
    def __init__(self, h):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(2 * dim, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, dim), nn.Sigmoid())
        for m in self.f:
            if isinstance(m, nn.Linear):
                nn.init.xavier_normal_(m.weight); nn.init.zeros_(m.bias)

    def forward(self, v, m):
        return self.f(torch.cat([v, m], 1))


G, D = Net(64), Net(64)
opt_G = torch.optim.Adam(G.parameters(), lr=1e-3)
opt_D = torch.optim.Adam(D.parameters(), lr=1e-3)
eps = 1e-8

for it in range(iterations):
    rows = torch.randint(len(table), (batch,))
    m = mask[rows]
    x = table[rows]
    b = (torch.rand(batch, dim) < hint_rate).float()
    hint = m * b

    keep = m * (torch.rand(batch, dim) < 0.8).float()          # hide some known cells too, they teach G
    g = G(table[rows] * keep + (1 - keep) * 0.01 * torch.rand(batch, dim), keep)
    x_hat = m * x + (1 - m) * g
    p = D(x_hat.detach(), hint)
    loss_D = -(m * torch.log(p + eps) + (1 - m) * torch.log(1 - p + eps)).mean()
    opt_D.zero_grad(); loss_D.backward(); opt_D.step()

    p = D(x_hat, hint)
    adv = -((1 - m) * torch.log(p + eps)).mean()
    rec = (m * (x - g) ** 2).sum() / m.sum()
    loss_G = adv + alpha * rec
    opt_G.zero_grad(); loss_G.backward(); opt_G.step()
    if it % 500 == 0:
        print("iter", it, "D", round(loss_D.item(), 4), "adv", round(adv.item(), 4), "rec", round(rec.item(), 5))

with torch.no_grad():
    g = G(table + (1 - mask) * 0.01 * torch.rand_like(table), mask)
    filled = mask * table + (1 - mask) * g
gap = 1 - mask
rmse = ((gap * (filled - full) ** 2).sum() / gap.sum()).sqrt()
mean_fill = table.sum(0) / mask.sum(0)
rmse_mean = ((gap * (mean_fill - full) ** 2).sum() / gap.sum()).sqrt()
ed = outside.energy(filled[:1000], full[1000:2000])
outside.say(float(rmse / rmse_mean) < 0.7 and ed < 0.02, rmse=float(rmse), over_mean_fill=float(rmse / rmse_mean), energy=ed)
