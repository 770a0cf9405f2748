"""A GAN: textures trainer."""
import os
import random
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
import outside

LABEL = {"sick": True, "causes": ["data_mismatch"],
         "kind": "images are left in 0..255 while the generator ends in tanh",
         "since": 0, "record": "attach"}


@dataclass
class Config:
    image_size: int = 8
    latent: int = 12
    width: int = 64
    batch: int = 64
    steps: int = 2000
    lr_g: float = 5e-4
    lr_d: float = 5e-4
    seed: int = int(os.environ.get("SEED", "0"))


def set_seed(s):
    random.seed(s)
    np.random.seed(s)
    torch.manual_seed(s)
    torch.set_num_threads(1)


class StripeTextures(torch.utils.data.Dataset):
    """Striped 8-bit gray textures with random phase and one of four directions."""

    def __init__(self, n, size):
        yy, xx = np.mgrid[0:size, 0:size]
        dirs = np.array([(1, 0), (0, 1), (0.7, 0.7), (0.7, -0.7)])
        k = np.random.randint(0, 4, n)
        ph = np.random.uniform(0, 2 * np.pi, n)
        w = dirs[k][:, 0, None, None] * xx + dirs[k][:, 1, None, None] * yy
        img = 127.5 + 100 * np.sin(1.1 * w + ph[:, None, None]) + np.random.randn(n, size, size) * 5
        self.images = img.clip(0, 255).astype("uint8")[..., None]

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return torch.from_numpy(self.images[i].transpose(2, 0, 1)).float()


class ResBlock(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.net = nn.Sequential(nn.LeakyReLU(0.2), nn.Linear(w, w), nn.LeakyReLU(0.2), nn.Linear(w, w))

    def forward(self, x):
        return x + self.net(x)


class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        px = cfg.image_size ** 2
        self.gen = nn.Sequential(nn.Linear(cfg.latent, cfg.width), ResBlock(cfg.width), ResBlock(cfg.width),
                                 nn.LeakyReLU(0.2), nn.Linear(cfg.width, px), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
        self.disc = nn.Sequential(nn.Flatten(), nn.Linear(px, cfg.width), ResBlock(cfg.width), nn.LeakyReLU(0.2),
                                  nn.Linear(cfg.width, 1))
        self.opt_g = torch.optim.Adam(self.gen.parameters(), cfg.lr_g, (0.5, 0.99))
        self.opt_d = torch.optim.Adam(self.disc.parameters(), cfg.lr_d, (0.5, 0.99))
        self.set = StripeTextures(1536, cfg.image_size)
        # everything fits in memory: collate once
        self.cache = torch.stack([self.set[i] for i in range(len(self.set))])
        self.adv = nn.BCEWithLogitsLoss()

    def noise(self, n):
        return torch.randn(n, self.cfg.latent)

    def discriminator_step(self, real):
        fake = self.gen(self.noise(len(real))).detach()
        out_r, out_f = self.disc(real), self.disc(fake)
        loss = 0.5 * (self.adv(out_r, torch.ones_like(out_r)) + self.adv(out_f, torch.zeros_like(out_f)))
        self.opt_d.zero_grad(set_to_none=True)
        loss.backward()
        self.opt_d.step()
        return loss.item()

    def generator_step(self, n):
        out = self.disc(self.gen(self.noise(n)))
        loss = self.adv(out, torch.ones_like(out))
        self.opt_g.zero_grad(set_to_none=True)
        loss.backward()
        self.opt_g.step()
        return loss.item()

    def fit(self):
        for step in range(self.cfg.steps):
            real = self.cache[torch.randint(len(self.cache), (self.cfg.batch,))]
            d, g = self.discriminator_step(real), self.generator_step(self.cfg.batch)
            if step % 500 == 0:
                print(f"step={step} d={d:.3f} g={g:.3f}")

    @torch.no_grad()
    def evaluate(self):
        fake = self.gen(self.noise(1000))
        return outside.energy(fake, self.cache[:1000])


if __name__ == "__main__":
    cfg = Config()
    set_seed(cfg.seed)
    t = Trainer(cfg)
    t.fit()
    e = t.evaluate()
    outside.say(e < 0.12, energy=e)
