"""GAN on standardised 2-D moons with He init, as in the exercise sheet."""
LABEL = {"sick": True, "causes": ["dead_layers", "data_mismatch", "stagnation", "objective_fault", "discriminator_dominance"], "kind": "the generator ends in a ReLU, so negative values cannot be produced and its output units die", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_moons
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def build(sizes, last=None):
    layers = []
    for a, b in zip(sizes[:-1], sizes[1:]):
        lin = nn.Linear(a, b)
        nn.init.kaiming_normal_(lin.weight, nonlinearity="relu"); nn.init.zeros_(lin.bias)
        layers += [lin, nn.ReLU()]
    layers = layers[:-1]
    if last is not None:
        layers.append(last)
    return nn.Sequential(*layers)

X, _ = make_moons(3000, noise=0.05, random_state=SEED)
X = (X - X.mean(0)) / X.std(0)
X = torch.tensor(X).float()

netG = build([4, 64, 64, 2], last=nn.ReLU())
netD = build([2, 64, 64, 1])
bce = nn.BCEWithLogitsLoss()
optG = torch.optim.Adam(netG.parameters(), lr=8e-4, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), lr=8e-4, betas=(0.5, 0.999))
one, zero = torch.ones(128, 1), torch.zeros(128, 1)
for ep in range(170):
    perm = torch.randperm(len(X))
    for j in range(0, len(X) - 127, 128):
        xb = X[perm[j:j + 128]]
        zb = torch.randn(128, 4)
        optD.zero_grad()
        (bce(netD(xb), one) + bce(netD(netG(zb).detach()), zero)).backward()
        optD.step()
        optG.zero_grad()
        bce(netD(netG(torch.randn(128, 4))), one).backward()
        optG.step()

with torch.no_grad():
    s = netG(torch.randn(1000, 4))
e = outside.energy(s, X[torch.randperm(len(X))])
outside.say(e < 0.03, energy=e)
