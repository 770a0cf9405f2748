"""Relativistic pairing loss with both zero-centred penalties on 150 iris rows and batches of 12."""
LABEL = {"sick": False, "causes": [], "kind": "few data, tiny batches, D loss stuck near log 2, but the distribution is well met", "since": None, "record": "lines"}
import os, sys, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_iris
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
X = load_iris().data.astype("float32")
X = torch.from_numpy((X - X.mean(0)) / X.std(0))
G = nn.Sequential(nn.Linear(4, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 4))
D = nn.Sequential(nn.Linear(4, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=3e-4, betas=(0.0, 0.99))
d_opt = torch.optim.Adam(D.parameters(), lr=6e-4, betas=(0.0, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)

def scores(x):
    x = x.detach().requires_grad_()
    o = D(x)
    g, = torch.autograd.grad(o.sum(), x, create_graph=True)
    return o, g.square().sum(1).mean()

for it in range(4000):
    idx = torch.randint(150, (12,))
    fake = G(torch.randn(12, 4))
    (r, p1), (f, p2) = scores(X[idx] + 0.05 * torch.randn(12, 4)), scores(fake)
    d_loss = F.softplus(f - r).mean() + 0.05 * (p1 + p2)
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    with torch.no_grad(): r = D(X[idx])
    g_loss = F.softplus(r - D(fake)).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
s = G(torch.randn(1000, 4)).detach()
e = outside.energy(s, X)
setosa = (s[:, 2] < -0.6).float().mean().item()
outside.say(e < 0.03 and 0.2 < setosa < 0.47, energy=e, setosa=setosa)
