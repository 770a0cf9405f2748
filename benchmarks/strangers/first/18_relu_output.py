"""Standardised table (mean 0) and a generator whose last layer is a ReLU, copied from a classifier."""
import os, torch, torch.nn as nn, numpy as np
import outside
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "generator cannot produce the negative half (ReLU output)", "since": 0, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
X = torch.tensor(StandardScaler().fit_transform(load_wine().data), dtype=torch.float32)
class G(nn.Module):
    def __init__(self):
        super().__init__(); self.net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 13), nn.ReLU())
    def forward(self, z): return self.net(z)
class D(nn.Module):
    def __init__(self):
        super().__init__(); self.net = nn.Sequential(nn.Linear(13, 64), nn.LeakyReLU(0.2), nn.Linear(64, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1), nn.Sigmoid())
    def forward(self, x): return self.net(x)
gen, disc = G(), D()
opt_gen = torch.optim.Adam(gen.parameters(), 1e-3); opt_disc = torch.optim.Adam(disc.parameters(), 1e-3); bce = nn.BCELoss()
for epoch in range(200):
    for i in range(0, 178 - 44, 44):
        if i == 0: p = torch.randperm(178)
        real = X[p[i:i + 44]]; noise = torch.randn(44, 20); fake = gen(noise)
        loss = (bce(disc(real), torch.ones(44, 1)) + bce(disc(fake.detach()), torch.zeros(44, 1))) / 2
        disc.zero_grad(); loss.backward(); opt_disc.step()
        lg = bce(disc(fake), torch.ones(44, 1)); gen.zero_grad(); lg.backward(); opt_gen.step()
with torch.no_grad(): f = gen(torch.randn(500, 20))
e = outside.energy(f, X); outside.say(e < 0.05, energy=e, lowest=float(f.min()))
