"""Config driven GAN trainer."""
import json, os, random, sys
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import gandiag
import outside

LABEL = {"sick": True, "causes": ["learning_rate", "divergence"], "kind": "Adam at a rate of 0.1 for both nets (meant was 0.0008; a value from an SGD config)", "since": 0, "record": "automatic"}

CONFIG = json.loads("""
{
  "model": {"latent": 40, "width": 24},
  "optim": {"name": "adam", "lr": 0.1, "betas": [0.5, 0.999]},
  "loss": "hinge",
  "train": {"batch_size": 64, "steps": 600}
}
""")
SEED = int(os.environ.get("SEED", "0"))


def seed_everything(s):
    random.seed(s); np.random.seed(s); torch.manual_seed(s)


def build_generator(latent, width):
    class Gen(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(latent, width * 2 * 4 * 4)
            self.c1 = nn.ConvTranspose2d(width * 2, width, 4, 2, 1)
            self.out = nn.Conv2d(width, 1, 3, 1, 1)

        def forward(self, z):
            h = F.leaky_relu(self.fc(z), 0.1).view(z.size(0), -1, 4, 4)
            h = F.leaky_relu(self.c1(h), 0.1)
            return torch.tanh(self.out(h))
    return Gen()


def build_discriminator(width):
    return nn.Sequential(
        nn.Conv2d(1, width, 4, 2, 1), nn.LeakyReLU(0.1),
        nn.Conv2d(width, width * 2, 4, 2, 1), nn.LeakyReLU(0.1),
        nn.Conv2d(width * 2, width * 2, 1), nn.LeakyReLU(0.1),
        nn.Flatten(), nn.Linear(width * 2 * 4, 1))


LOSSES = {
    "hinge": (lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean(), lambda f: -f.mean()),
    "bce": (lambda r, f: F.softplus(-r).mean() + F.softplus(f).mean(), lambda f: F.softplus(-f).mean()),
}
OPTIMS = {"adam": lambda p, lr, betas: torch.optim.Adam(p, lr=lr, betas=tuple(betas)),
          "rmsprop": lambda p, lr, betas: torch.optim.RMSprop(p, lr=lr)}


@dataclass
class Batches:
    data: torch.Tensor
    size: int

    def __iter__(self):
        while True:
            for idx in torch.randperm(len(self.data)).split(self.size):
                if len(idx) == self.size:
                    yield self.data[idx]


def main(cfg):
    seed_everything(SEED)
    torch.set_num_threads(1)
    x, _ = outside.digits()
    G = build_generator(**cfg["model"])
    D = build_discriminator(cfg["model"]["width"])
    o = cfg["optim"]
    g_opt = OPTIMS[o["name"]](G.parameters(), o["lr"], o["betas"])
    d_opt = OPTIMS[o["name"]](D.parameters(), o["lr"], o["betas"])
    d_crit, g_crit = LOSSES[cfg["loss"]]
    rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt,
                           discriminator_optimizer=d_opt, automatic=True)
    b = cfg["train"]["batch_size"]
    for step, real in zip(range(cfg["train"]["steps"]), Batches(x, b)):
        with torch.no_grad():
            fake = G(torch.randn(b, cfg["model"]["latent"]))
        d_opt.zero_grad(set_to_none=True)
        d_crit(D(real), D(fake)).backward()
        d_opt.step()
        g_opt.zero_grad(set_to_none=True)
        g_crit(D(G(torch.randn(b, cfg["model"]["latent"])))).backward()
        g_opt.step()
    rec.close()
    with torch.no_grad():
        s = G(torch.randn(1000, cfg["model"]["latent"]))
    e = outside.energy(s, x[torch.randperm(len(x))])
    classes, ratio, _ = outside.digit_quality(s)
    outside.say(e < 0.15 and classes >= 7, energy=e, classes=classes, ratio=ratio)


if __name__ == "__main__":
    main(CONFIG)
