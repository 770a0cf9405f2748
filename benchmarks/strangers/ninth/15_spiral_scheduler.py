"""Spiral scheduler."""
import os
import random
import numpy as np
import torch
from torch import nn
from torch.optim import Adam
from torch.optim.lr_scheduler import ExponentialLR
from torch.utils.data import DataLoader, Dataset
import outside

LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"],
         "kind": "ExponentialLR(0.95) is stepped after every batch instead of every epoch: the rate is nothing after 150 steps",
         "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


class Spiral(Dataset):
    def __init__(self, n=5120):
        t = np.sqrt(np.random.rand(n)) * 3 * np.pi
        xy = np.stack([t * np.cos(t), t * np.sin(t)], 1) / 6 + 0.04 * np.random.randn(n, 2)
        self.points = xy.astype("float32")

    def __len__(self):
        return len(self.points)

    def __getitem__(self, i):
        return self.points[i]


class Model:
    """holds both nets, their optimizers and schedulers"""

    def __init__(self, nz=5, h=72, lr=1.5e-3):
        self.nz = nz
        self.G = nn.Sequential(nn.Linear(nz, h), nn.Mish(), nn.Linear(h, h), nn.Mish(), nn.Linear(h, h), nn.Mish(), nn.Linear(h, 2))
        self.D = nn.Sequential(nn.Linear(2, h), nn.Mish(), nn.Linear(h, h), nn.Mish(), nn.Linear(h, h), nn.Mish(), nn.Linear(h, 1))
        self.optimizers = {k: Adam(getattr(self, k).parameters(), lr=lr, betas=(0.5, 0.95)) for k in "GD"}
        self.schedulers = {k: ExponentialLR(o, gamma=0.95) for k, o in self.optimizers.items()}
        self.gan_loss = nn.BCEWithLogitsLoss()

    def optimize_parameters(self, real):
        fake = self.G(torch.randn(len(real), self.nz))
        self.optimizers["D"].zero_grad()
        pr, pf = self.D(real), self.D(fake.detach())
        self.loss_D = self.gan_loss(pr, torch.ones_like(pr)) + self.gan_loss(pf, torch.zeros_like(pf))
        self.loss_D.backward()
        self.optimizers["D"].step()
        self.optimizers["G"].zero_grad()
        pf = self.D(fake)
        self.loss_G = self.gan_loss(pf, torch.ones_like(pf))
        self.loss_G.backward()
        self.optimizers["G"].step()

    def update_learning_rate(self):
        for s in self.schedulers.values():
            s.step()


dataset = Spiral()
loader = DataLoader(dataset, batch_size=160, shuffle=True)
model = Model()
for epoch in range(40):
    for batch in loader:
        model.optimize_parameters(batch)
        model.update_learning_rate()
    if epoch % 10 == 0:
        print(f"epoch {epoch}: D {model.loss_D.item():.3f}, G {model.loss_G.item():.3f}")

with torch.no_grad():
    s = model.G(torch.randn(1000, model.nz))
e = outside.energy(s, Spiral(1000).points)
outside.say(e < 0.025, energy=e)
