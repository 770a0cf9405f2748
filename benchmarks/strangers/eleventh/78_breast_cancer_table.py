"""Privacy-preserving copy of the first ten columns of the breast cancer table, regularised discriminator."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "spectral_collapse", "stagnation", "mode_collapse"], "kind": "a weight_decay of 0.3 in plain Adam (copied from AdamW): the discriminator's weights shrink to nothing", "since": None, "record": "attach"}
import os, random
import numpy as np, torch
from torch import nn, optim
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import QuantileTransformer
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

X = load_breast_cancer().data[:, :10]
X = QuantileTransformer(output_distribution="normal", n_quantiles=100).fit_transform(X).clip(-3, 3)
X = torch.as_tensor(X, dtype=torch.float32)

args = {"lr": 5e-4, "weight_decay": 0.3, "latent": 16, "batch": 100, "iters": 3500}

def make_g():
    return nn.Sequential(nn.Linear(args["latent"], 128), nn.LeakyReLU(.2), nn.Linear(128, 128), nn.LeakyReLU(.2), nn.Linear(128, 10))
def make_d():
    return nn.Sequential(nn.Linear(10, 128), nn.LeakyReLU(.2), nn.Linear(128, 64), nn.LeakyReLU(.2), nn.Linear(64, 1))

g, d = make_g(), make_d()
opt_g = optim.Adam(g.parameters(), args["lr"], (0.5, 0.9))
opt_d = optim.Adam(d.parameters(), args["lr"], (0.5, 0.9), weight_decay=args["weight_decay"])
bce = nn.BCEWithLogitsLoss()
for it in range(args["iters"]):
    xb = X[torch.randperm(len(X))[:args["batch"]]]
    zb = torch.randn(args["batch"], args["latent"])
    opt_d.zero_grad()
    o1, o0 = d(xb), d(g(zb).detach())
    (bce(o1, torch.ones_like(o1)) + bce(o0, torch.zeros_like(o0))).backward()
    opt_d.step()
    opt_g.zero_grad()
    o = d(g(zb))
    bce(o, torch.ones_like(o)).backward()
    opt_g.step()
with torch.no_grad():
    e = outside.energy(g(torch.randn(569, args["latent"])), X)
outside.say(e < 0.05, energy=e)
