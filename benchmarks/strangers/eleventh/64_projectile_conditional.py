"""Conditional surrogate of a ballistic simulation: given the launch angle class (one of five), produce the height profile of the shot."""
LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"], "kind": "the profiles are shuffled once without shuffling the angle classes along", "since": 0, "record": "attach"}
import os, random
import numpy as np, torch
from torch import nn
from torch.utils.data import TensorDataset, DataLoader
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

CFG = dict(classes=5, points=16, z=8, batch=64, epochs=40, lr=1e-3)
ANGLES = np.deg2rad([20, 33, 46, 59, 72])

def simulate(k, rng):
    v = 10 + 1.5 * rng.standard_normal(len(k))
    t = np.linspace(0, 1.5, CFG["points"])
    y = v[:, None] * np.sin(ANGLES[k])[:, None] * t - 0.5 * 9.81 * t ** 2
    return (y / 5 + 0.05 * rng.standard_normal(y.shape)).astype("float32")

rng = np.random.default_rng(SEED)
labels = np.repeat(np.arange(5), 800)
profiles = simulate(labels, rng)
rng.shuffle(profiles)
loader = DataLoader(TensorDataset(torch.tensor(profiles), torch.tensor(labels)), batch_size=CFG["batch"], shuffle=True, drop_last=True)

class CondG(nn.Module):
    def __init__(s):
        super().__init__()
        s.emb = nn.Embedding(5, 8)
        s.f = nn.Sequential(nn.Linear(CFG["z"] + 8, 64), nn.LeakyReLU(.2), nn.Linear(64, 64), nn.LeakyReLU(.2), nn.Linear(64, CFG["points"]))
    def forward(s, z, k): return s.f(torch.cat([z, s.emb(k)], 1))

class CondD(nn.Module):
    def __init__(s):
        super().__init__()
        s.emb = nn.Embedding(5, 16)
        s.f = nn.Sequential(nn.Linear(CFG["points"] + 16, 64), nn.LeakyReLU(.2), nn.Linear(64, 64), nn.LeakyReLU(.2), nn.Linear(64, 1))
    def forward(s, x, k): return s.f(torch.cat([x, s.emb(k)], 1))

net_g, net_d = CondG(), CondD()
og = torch.optim.Adam(net_g.parameters(), lr=CFG["lr"], betas=(.0, .9))
od = torch.optim.Adam(net_d.parameters(), lr=CFG["lr"], betas=(.0, .9))
crit = nn.BCEWithLogitsLoss()
for ep in range(CFG["epochs"]):
    for x, k in loader:
        n = len(x)
        fk = net_g(torch.randn(n, CFG["z"]), k)
        od.zero_grad()
        dl = 0.5 * (crit(net_d(x, k), torch.ones(n, 1)) + crit(net_d(fk.detach(), k), torch.zeros(n, 1)))
        xr = x.clone().requires_grad_(True)
        gr, = torch.autograd.grad(net_d(xr, k).sum(), xr, create_graph=True)
        dl = dl + 0.1 * gr.pow(2).sum(1).mean()
        dl.backward(); od.step()
        og.zero_grad()
        gl = 0.5 * crit(net_d(fk, k), torch.ones(n, 1))
        gl.backward(); og.step()
    print("epoch", ep, float(dl), float(gl))

es = []
with torch.no_grad():
    for c in range(5):
        k = np.full(400, c)
        es.append(outside.energy(net_g(torch.randn(400, CFG["z"]), torch.tensor(k)), simulate(k, rng)))
outside.say(max(es) < 0.12, worst_class_energy=max(es), mean_class_energy=float(np.mean(es)))
