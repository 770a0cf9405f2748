"""Fast simulation of calorimeter showers (8x8 cells), trainer class of the group."""
import os
import random
import sys
import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import ExponentialLR
from torch.utils.data import DataLoader, TensorDataset
import gandiag
import outside

LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"],
         "kind": "an epoch-wise ExponentialLR(0.95) is stepped after each batch: the rates are gone after a hundred steps",
         "since": 100, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))


def showers(n, rng):
    energy = rng.uniform(.5, 1.0, (n, 1, 1))
    cx, cy = rng.normal(3.5, .5, (2, n, 1, 1))
    width = rng.uniform(.9, 1.5, (n, 1, 1))
    i, j = np.mgrid[0:8, 0:8]
    cells = energy * np.exp(-((i - cx) ** 2 + (j - cy) ** 2) / (2 * width ** 2))
    cells *= rng.gamma(30, 1 / 30, cells.shape)
    return torch.tensor(np.sqrt(cells)[:, None], dtype=torch.float32)


class ShowerG(nn.Module):
    def __init__(self, latent=24):
        super().__init__()
        self.latent = latent
        self.dense = nn.Linear(latent, 4 * 4 * 16)
        self.conv1 = nn.Conv2d(16, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 1, 3, padding=1)

    def forward(self, z):
        x = torch.relu(self.dense(z)).view(-1, 16, 4, 4)
        x = nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return nn.functional.softplus(self.conv2(torch.relu(self.conv1(x))))


def shower_d():
    sn = nn.utils.spectral_norm
    return nn.Sequential(sn(nn.Conv2d(1, 16, 3, 2, 1)), nn.LeakyReLU(.2), sn(nn.Conv2d(16, 32, 3, 2, 1)), nn.LeakyReLU(.2),
                         nn.Flatten(), sn(nn.Linear(128, 32)), nn.LeakyReLU(.2), sn(nn.Linear(32, 1)))


class Trainer:
    def __init__(self, G, D, data, epochs, path):
        self.G, self.D, self.epochs = G, D, epochs
        self.loader = DataLoader(TensorDataset(data), batch_size=64, shuffle=True, drop_last=True)
        self.g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(.0, .9))
        self.d_opt = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(.0, .9))
        self.schedules = [ExponentialLR(o, gamma=.95) for o in (self.g_opt, self.d_opt)]
        self.rec = gandiag.Recorder(path, generator=G, discriminator=D, generator_optimizer=self.g_opt,
                                    discriminator_optimizer=self.d_opt, automatic=True)
        self.d_loss = self.g_loss = None

    def critic_step(self, x):
        fake = self.G(torch.randn(len(x), self.G.latent)).detach()
        loss = (1 - self.D(x)).clamp(min=0).mean() + (1 + self.D(fake)).clamp(min=0).mean()
        self.d_opt.zero_grad(set_to_none=True)
        loss.backward()
        self.d_opt.step()
        return float(loss)

    def generator_step(self, n):
        loss = -self.D(self.G(torch.randn(n, self.G.latent))).mean()
        self.g_opt.zero_grad(set_to_none=True)
        loss.backward()
        self.g_opt.step()
        return float(loss)

    def report(self, epoch):
        if epoch % 8 == 0:
            print(f"epoch {epoch:3d}  d {self.d_loss:.3f}  g {self.g_loss:.3f}")

    def run_epoch(self, epoch):
        for (x,) in self.loader:
            self.d_loss = self.critic_step(x)
            self.g_loss = self.generator_step(len(x))
            for s in self.schedules:
                s.step()
        self.report(epoch)

    def fit(self):
        for epoch in range(self.epochs):
            self.run_epoch(epoch)
        self.rec.close()


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    random.seed(SEED)
    trainer = Trainer(ShowerG(), shower_d(), showers(3200, np.random.default_rng(1)), 16, sys.argv[1])
    trainer.fit()
    with torch.no_grad():
        fast = trainer.G(torch.randn(1000, 24))
    e = outside.energy(fast, showers(1000, np.random.default_rng(2)))
    outside.say(e < .15, energy=e)
