"""Synthetic fiducial marks (one printed ring with a cross, 12x12) for a camera-calibration bench: a small DCGAN."""
LABEL = {"sick": False, "causes": [], "kind": "all the real pictures are nearly the same one (tiny shifts and ink differences), so the fakes look collapsed and rightly so", "since": None, "record": "attach"}

import argparse
import os

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import outside


def render_marks(n, gen):
    """A ring with a cross; printing and mounting jitter only."""
    grid = torch.arange(12).float() - 5.5
    yy, xx = torch.meshgrid(grid, grid, indexing="ij")
    dx = 0.25 * torch.randn(n, 1, 1, generator=gen).clamp(-2, 2)
    dy = 0.25 * torch.randn(n, 1, 1, generator=gen).clamp(-2, 2)
    ink = 0.9 + 0.05 * torch.randn(n, 1, 1, generator=gen).clamp(-2, 2)
    x, y = xx - dx, yy - dy
    r = (x * x + y * y).sqrt()
    ring = torch.exp(-((r - 4.0) ** 2) / 1.2)
    cross = torch.exp(-(x * x) / 1.0) + torch.exp(-(y * y) / 1.0)
    cross = cross.clamp(max=1.0) * torch.sigmoid(2 * (3.2 - r))
    return (ink * torch.maximum(ring, cross)).unsqueeze(1) * 2 - 1


class Generator(nn.Module):
    def __init__(self, nz=8, width=24):
        super().__init__()
        self.start = nn.Linear(nz, 2 * width * 9)
        self.width = width
        self.body = nn.Sequential(
            nn.LeakyReLU(0.2),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.ConvTranspose2d(width, 1, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.body(self.start(z).view(-1, 2 * self.width, 3, 3))


class Discriminator(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, width, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Flatten(), nn.Linear(2 * width * 9, 1),
        )

    def forward(self, x):
        return self.net(x)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=24)
    ap.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "0")))
    args = ap.parse_args([])
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    gen = torch.Generator().manual_seed(args.seed + 11)
    loader = DataLoader(TensorDataset(render_marks(3000, gen)), batch_size=64, shuffle=True, drop_last=True)

    G, D = Generator(), Discriminator()
    opt_g = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.99))
    opt_d = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.99))
    decay = [torch.optim.lr_scheduler.CosineAnnealingLR(o, args.epochs, eta_min=2e-5) for o in (opt_g, opt_d)]
    sp = nn.functional.softplus

    for epoch in range(args.epochs):
        for (real,) in loader:
            z = torch.randn(len(real), 8)
            real.requires_grad_(True)
            score = D(real)
            grad, = torch.autograd.grad(score.sum(), real, create_graph=True)
            loss_d = sp(-score).mean() + sp(D(G(z).detach())).mean() + 0.5 * grad.square().sum((1, 2, 3)).mean()
            opt_d.zero_grad()
            loss_d.backward()
            opt_d.step()

            loss_g = sp(-D(G(torch.randn(len(real), 8)))).mean()
            opt_g.zero_grad()
            loss_g.backward()
            opt_g.step()
        for s in decay:
            s.step()
        if epoch % 10 == 0:
            print(epoch, round(loss_d.item(), 3), round(loss_g.item(), 3))

    with torch.no_grad():
        fake = G(torch.randn(1000, 8))
    held = render_marks(1000, torch.Generator().manual_seed(999))
    e = outside.energy(fake, held)
    spread = float(fake.std(0).mean() / held.std(0).mean())
    outside.say(e < 0.05 and 0.75 < spread < 1.25, energy=e, spread=spread)


if __name__ == "__main__":
    main()
