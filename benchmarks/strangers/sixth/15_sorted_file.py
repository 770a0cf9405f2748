"""Sensor readings of six machines from one long table, read in the order of the file."""
import os
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "mode_dropping", "mode_collapse"],
         "kind": "the table is sorted by machine and the loader does not shuffle: D sees one mode at a time and G follows it", "since": 0,
         "record": "attach"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

class Readings(Dataset):
    def __init__(self, machines=6, each=1600, seed=3):
        rng = np.random.default_rng(seed)
        self.means = rng.normal(0, 1, (machines, 6)) * 1.1
        mix = rng.normal(0, 0.12, (machines, 6, 6))
        self.rows = np.concatenate([m + rng.normal(0, 1, (each, 6)) @ w for m, w in zip(self.means, mix)]).astype("float32")
    def __len__(self):
        return len(self.rows)
    def __getitem__(self, i):
        return torch.from_numpy(self.rows[i])

def block(i, o):
    return nn.Sequential(nn.Linear(i, o), nn.LayerNorm(o), nn.LeakyReLU(0.1))

class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(block(10, 128), block(128, 128), block(128, 128), nn.Linear(128, 6))
    def forward(self, z):
        return self.layers(z)

class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 128), nn.LeakyReLU(0.1), nn.Linear(128, 128), nn.LeakyReLU(0.1), nn.Linear(128, 1))
    def forward(self, x):
        return self.layers(x)

data = Readings()
loader = DataLoader(data, batch_size=64, shuffle=False, drop_last=True)
g, d = G(), D()
opt = {"g": torch.optim.Adam(g.parameters(), 1e-3, (0.0, 0.99)), "d": torch.optim.Adam(d.parameters(), 1e-3, (0.0, 0.99))}
log = []
for epoch in range(14):
    for x in loader:
        x.requires_grad_()
        fake = g(torch.randn(len(x), 10))
        pos, neg = d(x), d(fake.detach())
        reg = torch.autograd.grad(pos.sum(), x, create_graph=True)[0].square().sum(1).mean()
        d_loss = nn.functional.softplus(-pos).mean() + nn.functional.softplus(neg).mean() + 0.1 * reg
        opt["d"].zero_grad(); d_loss.backward(); opt["d"].step()
        g_loss = nn.functional.softplus(-d(fake)).mean()
        opt["g"].zero_grad(); g_loss.backward(); opt["g"].step()
        log.append((d_loss.item(), g_loss.item()))
with torch.no_grad():
    s = g(torch.randn(1000, 10))
found, near = outside.modes(s, data.means, 1.1)
e = outside.energy(s, data.rows[np.random.default_rng(0).permutation(len(data))])
outside.say(found == 6 and near > 0.8 and e < 0.03, machines=found, near=near, energy=e)
