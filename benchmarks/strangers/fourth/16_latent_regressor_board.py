"""Checkerboard in the plane by one G with a latent regressor (VEEGAN-like) and zero-centred penalties."""
LABEL = {"sick": False, "causes": [], "kind": "sound: R1 and R2, latent regression by a helper net in G's optimizer, SGD-free two rates", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
from torch.nn.functional import softplus, mse_loss
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

def board(n):
    i = torch.randint(4, (n,)); j = 2 * torch.randint(2, (n,)) + i % 2
    return torch.stack([i + torch.rand(n), j + torch.rand(n)], 1) - 2

def net(*w):
    out = []
    for a, b in zip(w, w[1:]): out += [nn.Linear(a, b), nn.SiLU()]
    return nn.Sequential(*out[:-1])

def squared_slope(D, x):
    x = x.detach().requires_grad_()
    y = D(x)
    g, = torch.autograd.grad(y.sum(), x, create_graph=True)
    return y, g.square().sum(1).mean()

G, D, R = net(4, 96, 96, 2), net(2, 96, 96, 1), net(2, 48, 4)
g_opt = torch.optim.Adam([{"params": G.parameters()}, {"params": R.parameters(), "lr": 2e-3}], lr=1e-3, betas=(0.0, 0.99))
d_opt = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.0, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for step in range(700):
    z = 2 * torch.rand(192, 4) - 1
    fake = G(z)
    (yr, r1), (yf, r2) = squared_slope(D, board(192)), squared_slope(D, fake)
    d_loss = softplus(-yr).mean() + softplus(yf).mean() + 0.01 * (r1 + r2)
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    adv = softplus(-D(fake)).mean()
    g_loss = adv + 0.02 * mse_loss(R(fake), z)
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()

def energy(a, b):
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)
with torch.no_grad():
    e = energy(G(2 * torch.rand(1500, 4) - 1), board(1500))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.02}))
