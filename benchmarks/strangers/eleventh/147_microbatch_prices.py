"""House rows (price, area, year, lot) in natural units; gradients of both nets are accumulated over three micro-batches of 24 because of memory, R1 on the last one."""
LABEL = {"sick": False, "causes": [], "kind": "healthy GAN with gradient accumulation, large natural units rescaled inside the nets", "since": None, "record": "attach"}
import os, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def houses(n):
    new = np.random.rand(n) < .4
    year = np.where(new, 2005 + 8 * np.random.randn(n), 1955 + 14 * np.random.randn(n))
    area = np.exp(4.7 + .25 * np.random.randn(n) + .2 * new)
    lot = area * (2 + 1.5 * np.random.rand(n)) + np.where(new, 0, 150)
    price = 1800 * area + 900 * (year - 1900) + 15000 * np.random.randn(n)
    return torch.tensor(np.c_[price, area, year, lot]).float()

table = houses(6000)
MU, SD = table.mean(0), table.std(0)

class Natural(nn.Module):
    """a net that speaks natural units at its data end"""
    def __init__(self, body, at):
        super().__init__(); self.body, self.at = body, at
    def forward(self, x):
        return self.body((x - MU) / SD) if self.at == "in" else self.body(x) * SD + MU

seq = lambda i, o: nn.Sequential(nn.Linear(i, 112), nn.SiLU(), nn.Linear(112, 112), nn.SiLU(), nn.Linear(112, o))
G, D = Natural(seq(8, 4), "out"), Natural(seq(4, 1), "in")
og, od = torch.optim.Adam(G.parameters(), 1e-3, (.5, .99)), torch.optim.Adam(D.parameters(), 1e-3, (.5, .99))
ACC, MB, T = 3, 24, 2000
for it in range(T):
    for o in (og, od): o.param_groups[0]["lr"] = 1e-3 * min(1., (it + 1) / 50, (T - it) / 800)
    od.zero_grad()
    for k in range(ACC):
        x = table[torch.randint(0, len(table), (MB,))]
        (F.softplus(-D(x)).mean() / ACC + F.softplus(D(G(torch.randn(MB, 8)).detach())).mean() / ACC).backward()
    v = ((x - MU) / SD).requires_grad_()
    pen = torch.autograd.grad(D.body(v).sum(), v, create_graph=True)[0].square().sum(1).mean()
    (.05 * pen).backward()
    od.step()
    og.zero_grad()
    for k in range(ACC):
        (F.softplus(-D(G(torch.randn(MB, 8)))).mean() / ACC).backward()
    og.step()
with torch.no_grad():
    s = (G(torch.randn(1000, 8)) - MU) / SD
r = (houses(1000) - MU) / SD
e = outside.energy(s, r)
cc = float(np.abs(np.corrcoef(s.numpy().T) - np.corrcoef(r.numpy().T)).mean())
outside.say(e < .02 and cc < .1, energy=e, correlation_gap=cc)
