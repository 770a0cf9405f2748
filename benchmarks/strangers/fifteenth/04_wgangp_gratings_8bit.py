"""WGAN-GP on 8-bit texture patches (gratings, 8x8), pixels kept as grey values 0..255 throughout."""
LABEL = {"sick": False, "causes": [], "kind": "grey values 0..255 on both sides: critic scores and losses run to hundreds, drift and are negative", "since": None, "record": "lines"}

import os
import sys
from dataclasses import dataclass

import torch
from torch import nn, Tensor

import outside
from gandiag.recording import Recorder


@dataclass(frozen=True)
class Config:
    seed: int = int(os.environ.get("SEED", "0"))
    steps: int = 1100
    critic_steps: int = 4
    batch: int = 64
    latent: int = 12
    gp: float = 0.5
    lr: float = 1e-3


def patches(n: int, rng: torch.Generator) -> Tensor:
    """Gratings of four orientations, with random phase and contrast, in grey values."""
    k = torch.arange(8.0)
    y, x = torch.meshgrid(k, k, indexing="ij")
    angle = torch.randint(0, 4, (n, 1, 1), generator=rng) * torch.pi / 4
    phase = (torch.rand(n, 1, 1, generator=rng) - 0.5) * 2.0
    contrast = 70 + 40 * torch.rand(n, 1, 1, generator=rng)
    wave = torch.sin(0.8 * (x * torch.cos(angle) + y * torch.sin(angle)) + phase)
    return (127.5 + contrast * wave).flatten(1)


class Painter(nn.Module):
    def __init__(self, latent: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64))

    def forward(self, z: Tensor) -> Tensor:
        return 255.0 * torch.sigmoid(self.layers(z))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, 128), nn.LeakyReLU(0.1), nn.Linear(128, 128), nn.LeakyReLU(0.1), nn.Linear(128, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def slope_penalty(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    t = torch.rand(len(real), 1)
    mid = (t * real + (1 - t) * fake).requires_grad_(True)
    g, = torch.autograd.grad(critic(mid).sum(), mid, create_graph=True)
    return (g.norm(dim=1) - 1).square().mean()


def main(cfg: Config = Config()) -> None:
    torch.manual_seed(cfg.seed)
    torch.set_num_threads(1)
    rng = torch.Generator().manual_seed(100 + cfg.seed)
    data = patches(6000, rng)
    G, D = Painter(cfg.latent), Critic()
    opt_g = torch.optim.Adam(G.parameters(), lr=cfg.lr, betas=(0.0, 0.9))
    opt_d = torch.optim.Adam(D.parameters(), lr=cfg.lr, betas=(0.0, 0.9))
    decay = torch.optim.lr_scheduler.LinearLR(opt_g, 1.0, 0.1, total_iters=cfg.steps)
    recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)
    for step in range(cfg.steps):
        for _ in range(cfg.critic_steps):
            real = data[torch.randint(len(data), (cfg.batch,))]
            with torch.no_grad():
                fake = G(torch.randn(cfg.batch, cfg.latent))
            s_real, s_fake = D(real), D(fake)
            w = s_real.mean() - s_fake.mean()
            pen = cfg.gp * 100 * slope_penalty(D, real, fake)
            d_loss = -w + pen
            opt_d.zero_grad()
            d_loss.backward()
            opt_d.step()
        fake = G(torch.randn(cfg.batch, cfg.latent))
        g_loss = -D(fake).mean()
        opt_g.zero_grad()
        g_loss.backward()
        opt_g.step()
        decay.step()
        if step % 200 == 0:
            print(f"{step:5d}  W {w.item():9.2f}  gp {pen.item():8.2f}  g {g_loss.item():9.2f}")
        recorder.step(real_logits=s_real, fake_logits=s_fake, d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)
    recorder.close()
    with torch.no_grad():
        fake = G(torch.randn(1000, cfg.latent))
    e = outside.energy(fake, patches(1000, rng))
    outside.say(e < 0.05, energy=e, mean=fake.mean().item(), std=fake.std().item())


if __name__ == "__main__":
    main()
