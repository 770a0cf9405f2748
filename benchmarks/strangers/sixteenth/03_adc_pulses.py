"""LSGAN on raw 12-bit ADC traces of detector pulses, kept in counts (no rescaling anywhere in the data path)."""
LABEL = {"sick": False, "causes": [], "kind": "raw counts around 2048 with pulses of several hundred: values far outside [-1, 1], a generator with a fixed gain and offset as last layer and a discriminator that normalises inside itself; D targets 0/100 so that losses are in the thousands", "since": None, "record": "automatic"}

import os, sys
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.set_num_threads(1)


@dataclass
class Config:
    length: int = 32
    pedestal: float = 2048.0
    gain: float = 300.0
    zdim: int = 12
    batch: int = 64
    steps: int = 1600
    lr_g: float = 1e-3
    lr_d: float = 1e-3
    target: float = 100.0        # scores are "percent real" in our lab


def traces(n, cfg):
    t = torch.arange(cfg.length).float()[None]
    t0 = 6 + 6 * torch.rand(n, 1)
    amp = 250 + 500 * torch.rand(n, 1)
    tau = 3 + 4 * torch.rand(n, 1)
    u = F.relu(t - t0)
    pulse = (u / 2).clamp(max=1) * torch.exp(-u / tau) * amp * 1.3
    return cfg.pedestal + pulse[:, None] + 12 * torch.randn(n, 1, cfg.length)


class PulseGenerator(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.fc = nn.Linear(cfg.zdim, 32 * 8)
        self.body = nn.Sequential(
            nn.BatchNorm1d(32), nn.ELU(), nn.Upsample(scale_factor=2), nn.Conv1d(32, 32, 5, padding=2),
            nn.BatchNorm1d(32), nn.ELU(), nn.Upsample(scale_factor=2), nn.Conv1d(32, 16, 5, padding=2),
            nn.ELU())
        self.head = nn.Conv1d(17, 1, 5, padding=2)

    def forward(self, z):
        h = self.body(self.fc(z).view(len(z), 32, 8))
        e = torch.randn(len(z), 1, self.cfg.length)      # readout noise
        return self.cfg.pedestal + self.cfg.gain * self.head(torch.cat([h, e], 1))


class PulseDiscriminator(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.c = nn.Sequential(nn.Conv1d(1, 24, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(24, 48, 5, 2, 2), nn.LeakyReLU(0.2))
        self.f = nn.Sequential(nn.Flatten(), nn.Linear(48 * 8, 48), nn.LeakyReLU(0.2), nn.Linear(48, 1))

    def forward(self, x):
        return self.cfg.target * self.f(self.c((x - self.cfg.pedestal) / self.cfg.gain))


def main(cfg=Config()):
    torch.manual_seed(SEED); np.random.seed(SEED)
    data = traces(6000, cfg)
    G, D = PulseGenerator(cfg), PulseDiscriminator(cfg)
    opt_g = torch.optim.Adam(G.parameters(), cfg.lr_g, betas=(0.5, 0.99))
    opt_d = torch.optim.Adam(D.parameters(), cfg.lr_d, betas=(0.5, 0.99))
    sg = torch.optim.lr_scheduler.CosineAnnealingLR(opt_g, cfg.steps, 5e-5)
    sd = torch.optim.lr_scheduler.CosineAnnealingLR(opt_d, cfg.steps, 5e-5)
    recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)
    for step in range(cfg.steps):
        real = data[torch.randint(len(data), (cfg.batch,))]
        fake = G(torch.randn(cfg.batch, cfg.zdim))
        d_loss = F.mse_loss(D(real), torch.full((cfg.batch, 1), cfg.target)) + D(fake.detach()).pow(2).mean()
        opt_d.zero_grad(); d_loss.backward(); opt_d.step()
        fake = G(torch.randn(cfg.batch, cfg.zdim))
        g_loss = F.mse_loss(D(fake), torch.full((cfg.batch, 1), cfg.target))
        opt_g.zero_grad(); g_loss.backward(); opt_g.step()
        sg.step(); sd.step()
        if step % 300 == 0:
            print(step, round(d_loss.item(), 1), round(g_loss.item(), 1))
    recorder.close()
    G.eval()
    with torch.no_grad():
        f = G(torch.randn(1000, cfg.zdim))
    r = traces(1000, cfg)
    e = outside.energy(f, r)
    pf, pr = f.amax((1, 2)) - cfg.pedestal, r.amax((1, 2)) - cfg.pedestal
    dm = abs(pf.mean() / pr.mean() - 1).item()
    ds = abs(pf.std() / pr.std() - 1).item()
    outside.say(e < 0.03 and dm < 0.15 and ds < 0.3, energy=e, peak_mean=dm, peak_std=ds)


main()
