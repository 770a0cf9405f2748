"""Customer table with one categorical column (four tariffs, one of them rare) and two numeric columns; Gumbel-softmax output, pairs of rows for the discriminator as in PacGAN."""
LABEL = {"sick": False, "causes": [], "kind": "healthy tabular GAN with Gumbel-softmax and packing", "since": None, "record": "attach"}
import os, random
import numpy as np, torch
from torch import nn
import torch.nn.functional as F
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
SHARES = torch.tensor([0.4, 0.3, 0.2, 0.1])
AGE, USE = torch.tensor([-1.0, 0.0, 1.0, 0.5]), torch.tensor([1.0, -0.8, 0.3, 2.0])
def customers(n):
    k = torch.multinomial(SHARES, n, replacement=True)
    num = torch.stack([AGE[k] + 0.35 * torch.randn(n), USE[k] + 0.3 * torch.randn(n)], 1)
    return torch.cat([num, F.one_hot(k, 4).float()], 1)
class TabG(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(10, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 96), nn.BatchNorm1d(96), nn.ReLU())
        self.num, self.cat = nn.Linear(96, 2), nn.Linear(96, 4)
    def forward(self, z):
        h = self.trunk(z)
        return torch.cat([self.num(h), F.gumbel_softmax(self.cat(h), tau=0.3, hard=False)], 1)
PAC = 2
tab_d = nn.Sequential(nn.Linear(6 * PAC, 96), nn.LeakyReLU(.2), nn.Dropout(.2), nn.Linear(96, 96), nn.LeakyReLU(.2), nn.Linear(96, 1))
tab_g = TabG()
og = torch.optim.Adam(tab_g.parameters(), lr=5e-4, betas=(.5, .9), weight_decay=1e-6)
od = torch.optim.Adam(tab_d.parameters(), lr=5e-4, betas=(.5, .9), weight_decay=1e-6)
def pac(x): return x.reshape(-1, 6 * PAC)
for it in range(2800):
    x, f = customers(200), tab_g(torch.randn(200, 10))
    x = torch.cat([x[:, :2], x[:, 2:] * 0.94 + 0.015], 1)
    ld = F.softplus(-tab_d(pac(x))).mean() + F.softplus(tab_d(pac(f.detach()))).mean()
    od.zero_grad(); ld.backward(); od.step()
    lg = F.softplus(-tab_d(pac(f))).mean()
    og.zero_grad(); lg.backward(); og.step()
tab_g.eval()
with torch.no_grad():
    s = tab_g(torch.randn(1000, 10))
s = torch.cat([s[:, :2], F.one_hot(s[:, 2:].argmax(1), 4).float()], 1)
e = outside.energy(s, customers(1000)); share = s[:, 2:].mean(0)
outside.say(e < 0.03 and share.min().item() > 0.04, energy=e, rarest=share.min().item())
