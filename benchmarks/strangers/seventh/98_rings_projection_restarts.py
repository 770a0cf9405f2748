"""Lightning-style module without Lightning: projection cGAN, accumulation over two half batches, warm restarts."""
import os
import random
import numpy as np
import torch
import torch.nn as nn
import outside

LABEL = {"sick": False, "causes": [], "kind": "projection conditional hinge GAN, gradients accumulated over two half batches, clipped norms, cosine warm restarts (the losses jump at each)", "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))


class Rings:
    """Six classes in 4-D: class k lives on a circle of its own plane and radius."""
    def __init__(self):
        rs = np.random.RandomState(2)
        self.planes = [np.linalg.qr(rs.randn(4, 2))[0].T for _ in range(6)]
        self.shift = 1.2 * rs.randn(6, 4)

    def batch(self, k):
        th = 2 * np.pi * np.random.rand(len(k))
        circ = np.stack([np.cos(th), np.sin(th)], 1) * 0.7
        pts = np.stack([circ[i] @ self.planes[c] + self.shift[c] for i, c in enumerate(k)])
        return torch.tensor(pts + 0.05 * np.random.randn(len(k), 4), dtype=torch.float32)


class FilmGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp, self.mid, self.out = nn.Linear(5, 64), nn.Linear(64, 64), nn.Linear(64, 4)
        self.film = nn.Embedding(6, 128)

    def forward(self, z, k):
        a, b = self.film(k).chunk(2, 1)
        h = torch.relu((1 + a) * self.inp(z) + b)
        return self.out(torch.relu(self.mid(h)) + h)


class ProjectionDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(4, 96), nn.LeakyReLU(0.2), nn.Linear(96, 64), nn.LeakyReLU(0.2))
        self.psi = nn.Linear(64, 1)
        self.proj = nn.Embedding(6, 64)

    def forward(self, x, k):
        h = self.phi(x)
        return self.psi(h).squeeze(1) + (self.proj(k) * h).sum(1)


class GANModule:
    automatic_optimization = False
    half = 32

    def __init__(self):
        self.generator, self.discriminator = FilmGenerator(), ProjectionDiscriminator()
        self.data = Rings()

    def configure_optimizers(self):
        g = torch.optim.Adam(self.generator.parameters(), lr=1e-3, betas=(0.0, 0.99))
        d = torch.optim.Adam(self.discriminator.parameters(), lr=2e-3, betas=(0.0, 0.99))
        s = [torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=250, eta_min=5e-5) for o in (g, d)]
        return g, d, s

    def fakes(self):
        k = torch.randint(0, 6, (self.half,))
        return self.generator(torch.randn(self.half, 5), k), k

    def training_step(self, batch_idx):
        g, d, scheds = self.optims
        d.zero_grad()
        for _ in range(2):
            k = torch.randint(0, 6, (self.half,))
            x = self.data.batch(k.numpy())
            f, kf = self.fakes()
            loss = torch.relu(1 - self.discriminator(x, k)).mean() + torch.relu(1 + self.discriminator(f.detach(), kf)).mean()
            (loss / 2).backward()
        nn.utils.clip_grad_norm_(self.discriminator.parameters(), 5.0)
        d.step()
        g.zero_grad()
        for _ in range(2):
            f, kf = self.fakes()
            (-self.discriminator(f, kf).mean() / 2).backward()
        nn.utils.clip_grad_norm_(self.generator.parameters(), 5.0)
        g.step()
        for s in scheds:
            s.step()

    def fit(self, steps):
        self.optims = self.configure_optimizers()
        for i in range(steps):
            self.training_step(i)


if __name__ == "__main__":
    random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
    torch.set_num_threads(1)
    m = GANModule()
    m.fit(999)
    k = torch.randint(0, 6, (1500,))
    with torch.no_grad():
        s = m.generator(torch.randn(1500, 5), k)
    ref = m.data.batch(k.numpy())
    worst = max(outside.energy(s[k == c], ref[k == c]) for c in range(6))
    outside.say(worst < 0.08, worst_class=worst, energy=outside.energy(s, ref))
