"""Spiral galaxy points through a DataLoader, relativistic average loss."""
LABEL = {"sick": True, "causes": ["data_mismatch", "mode_dropping", "memorisation"], "kind": "next(iter(loader)) without shuffle: the same first 64 rows (the inner end of the arm) at every step", "since": 0, "record": "attach"}
import os
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import Dataset, DataLoader
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


class Spiral(Dataset):
    def __init__(self, n=640):
        t = np.linspace(0.3, 1.0, n) * 3 * np.pi
        xy = np.stack([t * np.cos(t), t * np.sin(t)], 1) / 5
        self.xy = torch.tensor(xy + 0.03 * np.random.randn(n, 2), dtype=torch.float32)

    def __len__(self):
        return len(self.xy)

    def __getitem__(self, i):
        return self.xy[i]


def build(i, o, act):
    return nn.Sequential(nn.Linear(i, 128), act, nn.Linear(128, 128), act, nn.Linear(128, o))


def main(steps=4000):
    ds = Spiral()
    dl = DataLoader(ds, batch_size=64)
    g, d = build(4, 2, nn.ReLU()), build(2, 1, nn.LeakyReLU(0.2))
    og = torch.optim.Adam(g.parameters(), lr=6e-4, betas=(0.5, 0.9))
    od = torch.optim.Adam(d.parameters(), lr=1e-3, betas=(0.5, 0.9))
    for s in range(steps):
        x = next(iter(dl))
        f = g(torch.randn(len(x), 4))
        r_, f_ = d(x), d(f.detach())
        ld = F.softplus(-(r_ - f_.mean())).mean() + F.softplus(f_ - r_.mean()).mean()
        od.zero_grad()
        ld.backward()
        od.step()
        r_, f_ = d(x).detach(), d(f)
        lg = F.softplus(r_ - f_.mean()).mean() + F.softplus(-(f_ - r_.mean())).mean()
        og.zero_grad()
        lg.backward()
        og.step()
    with torch.no_grad():
        e = outside.energy(g(torch.randn(1000, 4)), ds.xy)
    outside.say(e < 0.04, energy=e)


if __name__ == "__main__":
    main()
