"""A skewed two-dimensional mixture by a GAN whose D learns the features of a kernel (MMD)."""
LABEL = {"sick": False, "causes": [], "kind": "sound: D returns an 8-vector, the loss is a kernel distance of batches", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))


def skewed(n):
    k = (torch.rand(n, 1) < 0.7).float()
    body = torch.randn(n, 2).abs() * torch.tensor([0.8, 0.4])
    return k * body + (1 - k) * (torch.tensor([-1.2, -0.8]) + 0.25 * torch.randn(n, 2))


def kernel(a, b):
    d = torch.cdist(a, b).square()
    return sum(1 / (1 + d / (2 * s)) for s in (0.2, 1.0, 5.0)) / 3


def mmd(a, b):
    n = len(a)
    off = 1 - torch.eye(n)
    return ((kernel(a, a) + kernel(b, b)) * off).sum() / (n * (n - 1)) - 2 * kernel(a, b).mean()


G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 8))
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.99)), torch.optim.Adam(D.parameters(), 2e-4, betas=(0.5, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for step in range(520):
    x = skewed(128).requires_grad_()
    y = G(torch.randn(128, 4))
    fx = D(x)
    penalty = torch.autograd.grad(fx.square().sum(1).add(1e-8).sqrt().sum(), x, create_graph=True)[0].square().sum(1).mean()
    d_loss = -mmd(fx, D(y.detach())) + 0.02 * penalty
    od.zero_grad(); d_loss.backward(); od.step()
    g_loss = mmd(D(x.detach()), D(y))
    og.zero_grad(); g_loss.backward(); og.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    s, r, q = G(torch.randn(1200, 4)), skewed(1200), skewed(1200)
e = lambda a, b: float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
print(json.dumps({"outcome": {"energy": e(s, r), "reals_to_reals": e(q, r)}, "well": e(s, r) < 0.04}))
