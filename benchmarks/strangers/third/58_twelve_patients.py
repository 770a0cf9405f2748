"""Ten laboratory values of a dozen patients, by an MLP GAN."""
LABEL = {"sick": True, "causes": ["memorisation", "discriminator_overfitting"], "kind": "a training set of twelve rows, copied", "since": None, "record": "lines"}
import json, os, sys
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
mix = torch.randn(10, 10, generator=torch.Generator().manual_seed(77)) / 10 ** 0.5


def patients(n):
    return torch.tanh(torch.randn(n, 10) @ mix) + 0.1 * torch.randn(n, 10)


X, held_out = patients(12), patients(400)


def mlp(*sizes):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        layers += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


G, D = mlp(6, 128, 128, 10), mlp(10, 128, 128, 1)
go, do = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.99)), torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=go, discriminator_optimizer=do)
for step in range(1200):
    real = X[torch.randint(12, (48,))].requires_grad_()
    fake = G(torch.randn(48, 6))
    r = D(real)
    pen = torch.autograd.grad(r.sum(), real, create_graph=True)[0].square().sum(1).mean()
    dl = F.softplus(-r).mean() + F.softplus(D(fake.detach())).mean() + 0.05 * pen
    do.zero_grad(); dl.backward(); do.step()
    gl = F.softplus(-D(fake)).mean()
    go.zero_grad(); gl.backward(); go.step()
    rec.step(d_loss=dl, g_loss=gl)
rec.close()
with torch.no_grad():
    s = G(torch.randn(400, 6))
to_train = float(torch.cdist(s, X.detach()).min(1).values.median())
fresh_to_train = float(torch.cdist(held_out, X.detach()).min(1).values.median())
print(json.dumps({"outcome": {"fakes_to_training_rows": to_train, "fresh_reals_to_training_rows": fresh_to_train}, "well": to_train > 0.7 * fresh_to_train}))
