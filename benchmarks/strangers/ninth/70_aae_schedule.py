"""Adversarial autoencoder with a data-space critic (alpha-GAN style), fashion: released code with a Config dataclass. Data: noisy two-frequency waves, 24 samples long."""
import os, random, math
from dataclasses import dataclass
import numpy as np, torch
import torch.nn as nn
import torch.nn.functional as F
import outside

LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"],
         "kind": "StepLR meant per epoch is stepped in every iteration: the rates are practically zero after some hundred updates and training stands still",
         "since": 100, "record": "attach"}


@dataclass
class Config:
    seed: int = int(os.environ.get("SEED", "0"))
    length: int = 24
    latent: int = 8
    hidden: int = 96
    batch: int = 64
    epochs: int = 25
    lr: float = 1e-3
    step_size: int = 10
    gamma: float = 0.5
    rec_weight: float = 0.0


cfg = Config()
random.seed(cfg.seed); np.random.seed(cfg.seed); torch.manual_seed(cfg.seed); torch.set_num_threads(1)


def waves(n):
    t = torch.linspace(0, 1, cfg.length)[None]
    f = torch.where(torch.rand(n, 1) < .5, 1., 2.)
    a = .5 + .4 * torch.rand(n, 1)
    return a * torch.sin(2 * math.pi * (f * t + .25 * torch.rand(n, 1))) + .03 * torch.randn(n, cfg.length)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(cfg.latent, cfg.hidden), nn.BatchNorm1d(cfg.hidden), nn.ReLU(),
                                 nn.Linear(cfg.hidden, cfg.hidden), nn.BatchNorm1d(cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, cfg.length))

    def forward(self, z):
        return self.net(z)


class WaveCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(1, 16, 5, 2, 2), nn.LeakyReLU(.2), nn.Conv1d(16, 32, 5, 2, 2), nn.LeakyReLU(.2))
        self.head = nn.Linear(32 * 6, 1)

    def forward(self, x):
        return self.head(self.conv(x[:, None]).flatten(1)).squeeze(1)


decoder, critic = Decoder(), WaveCritic()
opt_dec = torch.optim.Adam(decoder.parameters(), lr=cfg.lr, betas=(.5, .999))
opt_cri = torch.optim.Adam(critic.parameters(), lr=cfg.lr, betas=(.5, .999))
sched = [torch.optim.lr_scheduler.StepLR(o, cfg.step_size, cfg.gamma) for o in (opt_dec, opt_cri)]
loader = torch.utils.data.DataLoader(waves(64 * 60), batch_size=cfg.batch, shuffle=True)

for epoch in range(cfg.epochs):
    for x in loader:
        z = torch.randn(len(x), cfg.latent)
        loss_c = F.softplus(-critic(x)).mean() + F.softplus(critic(decoder(z).detach())).mean()
        opt_cri.zero_grad(); loss_c.backward(); opt_cri.step()
        loss_g = F.softplus(-critic(decoder(z))).mean()
        opt_dec.zero_grad(); loss_g.backward(); opt_dec.step()
        for s in sched:
            s.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch} critic {loss_c:.3f} decoder {loss_g:.3f}")

with torch.no_grad():
    out = decoder(torch.randn(1000, cfg.latent))
e = outside.energy(out, waves(1000))
outside.say(e < 0.03, energy=e)
