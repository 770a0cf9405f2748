"""GAN trainer class with gradient accumulation and linear warm-up."""
import os, random, sys
import numpy as np
import torch
from torch import nn
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "gradients accumulated over three micro batches of 16 and a warm-up of the rates: three backward passes a step, slow start", "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))


class Waves(torch.utils.data.IterableDataset):
    """grey 8x8 plaid: product or sum of two waves"""
    def __init__(self, bs):
        self.bs = bs

    def __iter__(self):
        t = torch.arange(8.)
        while True:
            f = torch.where(torch.rand(self.bs, 2, 1) < 0.5, 0.7, 1.4)
            p = torch.rand(self.bs, 2, 1) * 1.5
            w = torch.sin(f * t + p)
            a, b = w[:, 0, :, None], w[:, 1, None, :]
            yield (0.9 * torch.where(torch.rand(self.bs, 1, 1) < 0.5, a * b, (a + b) / 2)).unsqueeze(1)


class Engine:
    accumulate, micro, warm = 3, 16, 40

    def __init__(self):
        self.G = nn.Sequential(nn.Linear(16, 128), nn.LeakyReLU(0.2), nn.Linear(128, 32 * 16), nn.BatchNorm1d(512), nn.LeakyReLU(0.2), nn.Unflatten(1, (32, 4, 4)),
                               nn.PixelShuffle(2), nn.Conv2d(8, 32, 3, 1, 1), nn.BatchNorm2d(32), nn.LeakyReLU(0.2), nn.Conv2d(32, 1, 3, 1, 1), nn.Tanh())
        self.D = nn.Sequential(nn.Conv2d(1, 32, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 32, 4, 2, 1), nn.LeakyReLU(0.2),
                               nn.Flatten(), nn.Linear(512, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
        self.optimizers = self.configure_optimizers()
        self.criterion = nn.BCEWithLogitsLoss()

    def configure_optimizers(self):
        g = torch.optim.Adam(self.G.parameters(), lr=1e-3, betas=(0.5, 0.99))
        d = torch.optim.Adam(self.D.parameters(), lr=1e-3, betas=(0.5, 0.99))
        self.schedulers = [torch.optim.lr_scheduler.LambdaLR(o, lambda k: min(1.0, (k + 1) / self.warm)) for o in (g, d)]
        return g, d

    def d_part(self, x):
        r, f = self.D(x), self.D(self.G(torch.randn(len(x), 16)).detach())
        return self.criterion(r, torch.ones_like(r)) + self.criterion(f, torch.zeros_like(f))

    def g_part(self):
        f = self.D(self.G(torch.randn(self.micro, 16)))
        return self.criterion(f, torch.ones_like(f))

    def fit(self, stream, steps):
        og, od = self.optimizers
        it = iter(stream)
        for _ in range(steps):
            od.zero_grad()
            for _ in range(self.accumulate):
                (self.d_part(next(it)) / self.accumulate).backward()
            od.step()
            og.zero_grad()
            for _ in range(self.accumulate):
                (self.g_part() / self.accumulate).backward()
            og.step()
            for s in self.schedulers:
                s.step()


if __name__ == "__main__":
    random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
    torch.set_num_threads(1)
    e = Engine()
    og, od = e.optimizers
    with gandiag.Recorder(sys.argv[1], generator=e.G, discriminator=e.D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
        e.fit(Waves(e.micro), 400)
    with torch.no_grad():
        s = e.G(torch.randn(1000, 16))
    ref = next(iter(Waves(1000)))
    v = outside.energy(s, ref)
    outside.say(v < 0.1, energy=v)
