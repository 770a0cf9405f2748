"""Radar chirps, 1-D spectrally normalised LSGAN (a=-1, b=1, c=0)."""
import os
import sys
import random
import numpy as np
import torch
import torch.nn as nn
from torch.nn.utils.parametrizations import spectral_norm as SN
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "LSGAN with spectral norm: scores of D stay near 0 and both losses are flat for all the training",
         "since": None, "record": "lines"}


class ChirpGenerator(nn.Sequential):
    def __init__(self, nz=8):
        self.nz = nz
        super().__init__(
            nn.Linear(nz, 128), nn.LeakyReLU(0.1), nn.Unflatten(1, (16, 8)),
            nn.ConvTranspose1d(16, 16, 4, stride=2, padding=1), nn.LeakyReLU(0.1),
            nn.ConvTranspose1d(16, 12, 4, stride=2, padding=1), nn.LeakyReLU(0.1),
            nn.Conv1d(12, 1, 3, padding=1))


class ChirpDiscriminator(nn.Sequential):
    def __init__(self):
        super().__init__(
            SN(nn.Conv1d(1, 24, 5, stride=2, padding=2)), nn.LeakyReLU(0.1),
            SN(nn.Conv1d(24, 48, 5, stride=2, padding=2)), nn.LeakyReLU(0.1),
            nn.Flatten(), SN(nn.Linear(48 * 8, 1)))


def chirps(n, rng):
    t = np.linspace(0, 1, 32)
    f0, rate = rng.uniform(.8, 1.6, (n, 1)), rng.uniform(.3, 2., (n, 1))
    gain = rng.uniform(.6, 1.1, (n, 1))
    w = gain * np.cos(2 * np.pi * (f0 * t + .5 * rate * t ** 2)) * np.hanning(40)[4:36]
    return torch.tensor(w + .02 * rng.standard_normal(w.shape), dtype=torch.float32).unsqueeze(1)


def main(run_dir, seed):
    random.seed(seed); np.random.seed(seed); torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    data = chirps(4000, rng)
    gen, dis = ChirpGenerator(), ChirpDiscriminator()
    g_opt = torch.optim.Adam(gen.parameters(), 1e-3, (0.5, 0.9))
    d_opt = torch.optim.Adam(dis.parameters(), 1e-3, (0.5, 0.9))
    with gandiag.Recorder(run_dir, generator=gen, discriminator=dis, generator_optimizer=g_opt, discriminator_optimizer=d_opt) as rec:
        for k in range(1250):
            x = data[torch.randint(0, 4000, (48,))]
            y = gen(torch.randn(48, gen.nz))
            sr, sf = dis(x), dis(y.detach())
            d_loss = 0.5 * (sr - 1).pow(2).mean() + 0.5 * (sf + 1).pow(2).mean()
            d_opt.zero_grad()
            d_loss.backward()
            d_opt.step()
            g_loss = 0.5 * (dis(y) - 1).pow(2).mean()
            g_opt.zero_grad()
            g_loss.backward()
            g_opt.step()
            rec.step(d_loss=d_loss, g_loss=g_loss, real=x, fake=y, real_logits=sr, fake_logits=sf)
            if k % 625 == 624:
                print(k + 1, d_loss.item(), g_loss.item())
    with torch.no_grad():
        e = outside.energy(gen(torch.randn(1000, gen.nz)), chirps(1000, rng))
    outside.say(e < 0.06, energy=e)


if __name__ == "__main__":
    main(sys.argv[1], int(os.environ.get("SEED", "0")))
