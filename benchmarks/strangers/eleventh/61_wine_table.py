"""Synthetic chemistry records for the wine table (13 columns), a plain MLP GAN on standardised features."""
LABEL = {"sick": True, "causes": ["data_mismatch", "stagnation", "dead_layers"], "kind": "generator ends in a ReLU while the standardised table is half negative", "since": 0, "record": "attach"}
import os, random
import numpy as np, torch, torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

table = StandardScaler().fit_transform(load_wine().data)
table = torch.tensor(table, dtype=torch.float32)
n_features = table.shape[1]

def block(i, o):
    return [nn.Linear(i, o), nn.ReLU()]

generator = nn.Sequential(*block(16, 96), *block(96, 96), *block(96, n_features))
discriminator = nn.Sequential(nn.Linear(n_features, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
opt_g = torch.optim.Adam(generator.parameters(), lr=4e-4, betas=(0.5, 0.9))
opt_d = torch.optim.Adam(discriminator.parameters(), lr=4e-4, betas=(0.5, 0.9))
bce = nn.BCEWithLogitsLoss()
B = 64
def slope(x):
    x = x.clone().requires_grad_(True)
    g, = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return g.pow(2).sum(1).mean()
for it in range(2600):
    real = table[torch.randint(len(table), (B,))]
    fake = generator(torch.randn(B, 16))
    opt_d.zero_grad()
    ld = bce(discriminator(real), torch.ones(B, 1)) + bce(discriminator(fake.detach()), torch.zeros(B, 1))
    ld = ld + 0.3 * slope(real)
    ld.backward(); opt_d.step()
    opt_g.zero_grad()
    lg = bce(discriminator(fake), torch.ones(B, 1))
    lg.backward(); opt_g.step()
    if it % 500 == 0:
        print(it, ld.item(), lg.item())

with torch.no_grad():
    s = generator(torch.randn(600, 16))
e = outside.energy(s, table)
outside.say(e < 0.05, energy=e)
