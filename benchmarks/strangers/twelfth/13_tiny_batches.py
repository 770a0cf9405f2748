"""Four principal components of the breast-cancer table with batches of eight rows and an averaged generator."""
LABEL = {"sick": False, "causes": [], "kind": "batches of 8, very noisy losses, EMA generator is what is used; the table is matched", "since": 0, "record": "attach"}
import os, random, copy
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
import outside
SEED = int(os.environ.get("SEED", "0")); random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

raw = StandardScaler().fit_transform(load_breast_cancer().data)
T = PCA(4, whiten=True, random_state=0).fit_transform(raw)
T = torch.tensor(T, dtype=torch.float32)

def net(a, b):
    return nn.Sequential(nn.Linear(a, 48), nn.GELU(), nn.Linear(48, 48), nn.GELU(), nn.Linear(48, b))

G = net(8, 4); D = net(4, 1); E = copy.deepcopy(G).requires_grad_(False)
og = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.0, 0.99))
od = torch.optim.Adam(D.parameters(), lr=8e-4, betas=(0.0, 0.99))
B = 8
for i in range(4000):
    x = T[torch.randint(len(T), (B,))].requires_grad_()
    out = D(x)
    r1 = torch.autograd.grad(out.sum(), x, create_graph=True)[0].square().sum(1).mean()
    dl = F.softplus(-out).mean() + F.softplus(D(G(torch.randn(B, 8)).detach())).mean() + 0.1 * r1
    od.zero_grad(set_to_none=True); dl.backward(); od.step()
    gl = F.softplus(-D(G(torch.randn(B, 8)))).mean()
    og.zero_grad(set_to_none=True); gl.backward(); og.step()
    with torch.no_grad():
        for e, p in zip(E.parameters(), G.parameters()):
            e.lerp_(p, 0.005)
with torch.no_grad():
    s = E(torch.randn(1000, 8))
e = outside.energy(s, T)
outside.say(e < 0.03, energy=e)
