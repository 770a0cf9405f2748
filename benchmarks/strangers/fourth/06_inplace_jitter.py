"""Short sine and saw series, 24 points, by a WGAN-GP with jitter before the critic."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "jitter is added in place to slices of the data set: data get noisier every epoch", "since": None, "record": "attach"}
import json, os
import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
rng = np.random.default_rng(SEED)
T = 24

def make(n):
    t = np.arange(T) / T
    ph, fr, am = rng.uniform(0, 1, (n, 1)), rng.choice([1, 2], (n, 1)), rng.uniform(0.5, 0.9, (n, 1))
    u = (fr * t + ph)
    sine, saw = np.sin(2 * np.pi * u), 2 * (u % 1) - 1
    return torch.tensor(np.where(rng.uniform(size=(n, 1)) < 0.5, sine, saw) * am, dtype=torch.float32)

class Loader:
    """no shuffling needed, the series are i.i.d."""
    def __init__(self, data, bs): self.data, self.bs = data, bs
    def __iter__(self):
        for i in range(0, len(self.data) - self.bs + 1, self.bs):
            yield self.data[i:i + self.bs]

def jitter(x, sigma=0.12):
    return x.add_(sigma * torch.randn_like(x))

train = make(768)
loader = Loader(train, 64)
G = nn.Sequential(nn.Linear(12, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, T))
C = nn.Sequential(nn.Linear(T, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
og, oc = torch.optim.Adam(G.parameters(), 5e-4, (0.0, 0.9)), torch.optim.Adam(C.parameters(), 1e-3, (0.0, 0.9))

def gp(a, b):
    eps = torch.rand(len(a), 1)
    m = (eps * a + (1 - eps) * b).requires_grad_(True)
    g = torch.autograd.grad(C(m).sum(), m, create_graph=True)[0]
    return ((g.norm(2, 1) - 1) ** 2).mean()

k = 0
for epoch in range(100):
    for x in loader:
        x = jitter(x)
        f = jitter(G(torch.randn(64, 12)).detach())
        lc = C(f).mean() - C(x).mean() + 5 * gp(x, f)
        oc.zero_grad(); lc.backward(); oc.step()
        k += 1
        if k % 3 == 0:
            lg = -C(G(torch.randn(64, 12)) + 0.12 * torch.randn(64, T)).mean()
            og.zero_grad(); lg.backward(); og.step()

def energy(a, b):
    a, b = a.detach(), b.detach()
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)
e = energy(G(torch.randn(1000, 12)), make(1000))
print(json.dumps({"outcome": {"energy": e, "g_steps": k // 3, "std_of_data_now": float(train.std())}, "well": e < 0.05}))
