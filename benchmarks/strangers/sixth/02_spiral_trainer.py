"""Spiral in the plane, trainer class, learning rate halved now and then for a calm ending."""
import math, os, sys
import torch
from torch import nn
from torch.nn.functional import softplus
from torch.utils.data import DataLoader, TensorDataset
import gandiag, outside

LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"],
         "kind": "StepLR meant for epochs is stepped every batch: the rates are down to nothing after some hundred batches", "since": 60,
         "record": "automatic"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

def spiral(n):
    t = 1 + 8 * torch.rand(n).sqrt()
    return torch.stack([t * t.cos(), t * t.sin()], 1) / 4.5 + 0.04 * torch.randn(n, 2)

class Trainer:
    def __init__(self, epochs=40, batch_size=128):
        act = lambda: nn.LeakyReLU(0.2)
        self.G = nn.Sequential(nn.Linear(8, 128), act(), nn.Linear(128, 128), act(), nn.Linear(128, 128), act(), nn.Linear(128, 2))
        self.D = nn.Sequential(nn.Linear(2, 128), act(), nn.Linear(128, 128), act(), nn.Linear(128, 128), act(), nn.Linear(128, 1))
        self.og = torch.optim.Adam(self.G.parameters(), lr=1e-3, betas=(0.5, 0.99))
        self.od = torch.optim.Adam(self.D.parameters(), lr=1e-3, betas=(0.5, 0.99))
        self.schedulers = [torch.optim.lr_scheduler.StepLR(o, step_size=15, gamma=0.5) for o in (self.og, self.od)]
        self.loader = DataLoader(TensorDataset(spiral(7680)), batch_size, shuffle=True, drop_last=True)
        self.epochs = epochs

    def d_step(self, x):
        x = x.requires_grad_(True)
        z = torch.randn(len(x), 8)
        real, fake = self.D(x), self.D(self.G(z).detach())
        g, = torch.autograd.grad(real.sum(), x, create_graph=True)
        loss = softplus(-real).mean() + softplus(fake).mean() + 0.05 * g.square().sum(1).mean()
        self.od.zero_grad()
        loss.backward()
        self.od.step()

    def g_step(self, n):
        loss = softplus(-self.D(self.G(torch.randn(n, 8)))).mean()
        self.og.zero_grad()
        loss.backward()
        self.og.step()

    def fit(self):
        for epoch in range(self.epochs):
            for (x,) in self.loader:
                self.d_step(x)
                self.g_step(len(x))
                for s in self.schedulers:
                    s.step()

trainer = Trainer()
with gandiag.Recorder(sys.argv[1], generator=trainer.G, discriminator=trainer.D, generator_optimizer=trainer.og,
                      discriminator_optimizer=trainer.od, automatic=True):
    trainer.fit()
with torch.no_grad():
    fake, real = trainer.G(torch.randn(1000, 8)), spiral(4000)
e = outside.energy(fake, real)
on = (torch.cdist(fake, real).min(1).values < 0.12).float().mean().item()
outside.say(e < 0.01 and on > 0.85, energy=e, on_spiral=on)
