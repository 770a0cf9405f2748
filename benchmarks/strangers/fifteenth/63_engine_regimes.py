"""Generating turbofan sensor snapshots (six channels, four operating regimes) to enlarge a prognostics data set."""
LABEL = {"sick": True, "causes": ["data_mismatch", "oscillation", "mode_dropping", "mode_collapse"],
         "kind": "the table is sorted by operating regime and the DataLoader does not shuffle, so the generator chases one regime after another",
         "since": 0, "record": "automatic"}
import os
import sys
from dataclasses import dataclass
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from gandiag.recording import Recorder
import outside


@dataclass
class Config:
    seed: int = int(os.environ.get("SEED", "0"))
    rows: int = 25600
    channels: int = 6
    latent: int = 12
    hidden: int = 96
    batch: int = 64
    epochs: int = 6
    lr: float = 1e-3
    shuffle: bool = False


def regime_centres(cfg):
    g = np.random.default_rng(7)
    c = g.normal(size=(4, cfg.channels))
    q, _ = np.linalg.qr(c.T)
    return 2.2 * q.T[:4]


def load_table(cfg):
    """flights ordered as the archive delivers them: by regime, then by time"""
    g = np.random.default_rng(cfg.seed)
    centres = regime_centres(cfg)
    regime = np.repeat(np.arange(4), cfg.rows // 4)
    x = centres[regime] + 0.25 * g.normal(size=(cfg.rows, cfg.channels))
    return torch.from_numpy(x.astype(np.float32)), centres


def mlp(sizes, act):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        layers += [nn.Linear(a, b), act()]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def main(cfg):
    torch.manual_seed(cfg.seed)
    torch.set_num_threads(1)
    x, centres = load_table(cfg)
    loader = DataLoader(TensorDataset(x), batch_size=cfg.batch, shuffle=cfg.shuffle, drop_last=True)
    G = mlp([cfg.latent, cfg.hidden, cfg.hidden, cfg.channels], nn.ReLU)
    D = mlp([cfg.channels, cfg.hidden, cfg.hidden, 1], nn.LeakyReLU)
    opt_g = torch.optim.Adam(G.parameters(), lr=cfg.lr, betas=(0.5, 0.9))
    opt_d = torch.optim.Adam(D.parameters(), lr=cfg.lr, betas=(0.5, 0.9))
    recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g,
                        discriminator_optimizer=opt_d, automatic=True)
    for epoch in range(cfg.epochs):
        for (real,) in loader:
            z = torch.randn(len(real), cfg.latent)
            real = real.requires_grad_(True)
            s_real, s_fake = D(real), D(G(z).detach())
            grad, = torch.autograd.grad(s_real.sum(), real, create_graph=True)
            r1 = grad.square().sum(1).mean()
            d_loss = F.softplus(-s_real).mean() + F.softplus(s_fake).mean() + 0.1 * r1
            opt_d.zero_grad(); d_loss.backward(); opt_d.step()

            g_loss = F.softplus(-D(G(torch.randn(len(real), cfg.latent)))).mean()
            opt_g.zero_grad(); g_loss.backward(); opt_g.step()
        print(f"epoch {epoch} d {d_loss.item():.3f} g {g_loss.item():.3f}")
    recorder.close()
    with torch.no_grad():
        fake = G(torch.randn(1000, cfg.latent))
    held = x[torch.randperm(len(x))[:1000]].detach()
    found, share = outside.modes(fake, centres, 1.2)
    e = outside.energy(fake, held)
    outside.say(found == 4 and share > 0.8 and e < 0.04, regimes=found, share=share, energy=e)


if __name__ == "__main__":
    main(Config())
