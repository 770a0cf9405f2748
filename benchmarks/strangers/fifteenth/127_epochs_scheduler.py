"""Gaussian mixture on a 3x3 grid, training class with epochs and exponential learning rate decay."""
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"], "kind": "the per-epoch decay schedulers are stepped in the batch loop, so both learning rates fall to nothing within a few hundred steps and training freezes half-done", "since": None, "record": "attach"}

import os
import torch
from torch import nn
from torch.optim.lr_scheduler import ExponentialLR
from torch.utils.data import DataLoader
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

grid = torch.cartesian_prod(torch.tensor([-1.0, 0.0, 1.0]), torch.tensor([-1.0, 0.0, 1.0])) * 1.5


def make_data(n):
    return grid[torch.randint(9, (n,))] + 0.1 * torch.randn(n, 2)


class GANTrainer:
    def __init__(self, epochs=40, decay=0.96, latent=8):
        self.latent, self.epochs = latent, epochs
        self.gen = nn.Sequential(nn.Linear(latent, 80), nn.ReLU(), nn.Linear(80, 80), nn.ReLU(), nn.Linear(80, 80), nn.ReLU(), nn.Linear(80, 2))
        self.disc = nn.Sequential(nn.Linear(2, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1))
        self.opt_gen = torch.optim.Adam(self.gen.parameters(), lr=1e-3, betas=(0.5, 0.999))
        self.opt_disc = torch.optim.Adam(self.disc.parameters(), lr=1e-3, betas=(0.5, 0.999))
        self.sched_gen = ExponentialLR(self.opt_gen, decay)
        self.sched_disc = ExponentialLR(self.opt_disc, decay)
        self.loss = nn.BCEWithLogitsLoss()

    def disc_step(self, x):
        x = x.clone().requires_grad_(True)
        fake = self.gen(torch.randn(len(x), self.latent)).detach()
        out = self.disc(x)
        loss = self.loss(out, torch.ones_like(out)) + self.loss(self.disc(fake), torch.zeros_like(out))
        g, = torch.autograd.grad(out.sum(), x, create_graph=True)
        self.opt_disc.zero_grad()
        (loss + 0.05 * g.pow(2).sum(1).mean()).backward()
        self.opt_disc.step()
        return loss.item()

    def gen_step(self, n):
        out = self.disc(self.gen(torch.randn(n, self.latent)))
        loss = self.loss(out, torch.ones_like(out))
        self.opt_gen.zero_grad()
        loss.backward()
        self.opt_gen.step()
        return loss.item()

    def fit(self, loader):
        for epoch in range(self.epochs):
            for x in loader:
                d, g = self.disc_step(x), self.gen_step(len(x))
                self.sched_gen.step()
                self.sched_disc.step()
            if epoch % 10 == 0:
                print(f"epoch {epoch} d {d:.3f} g {g:.3f}")


trainer = GANTrainer()
trainer.fit(DataLoader(make_data(7200), batch_size=120, shuffle=True))
with torch.no_grad():
    s = trainer.gen(torch.randn(2000, trainer.latent))
e = outside.energy(s, make_data(2000))
n, near = outside.modes(s, grid, 0.4)
outside.say(n == 9 and near > 0.75 and e < 0.02, energy=e, modes=n, near=near)
