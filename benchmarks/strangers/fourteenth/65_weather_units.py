"""Station weather (K, Pa, fraction) in physical units, because the downstream model wants physical units."""
LABEL = {"sick": False, "causes": [], "kind": "data and samples are in raw units (1e5 Pa against 0.6), but G ends in a fixed affine and D starts by undoing it", "since": None, "record": "lines"}
import os
import random
import sys
import numpy as np
import torch
import torch.nn as nn
from gandiag.recording import Recorder
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
for f in (random.seed, np.random.seed, torch.manual_seed):
    f(SEED)


def station(n):
    """two regimes: anticyclone (dry, high p) and frontal (humid, low p)"""
    front = np.random.rand(n) < 0.45
    p = np.where(front, 99900., 102300.) + 600. * np.random.randn(n)
    t = np.where(front, 284., 293.) + 3.0 * np.random.randn(n)
    rh = np.clip(np.where(front, 0.85, 0.5) - 0.012 * (t - 288.) + 0.05 * np.random.randn(n), 0.02, 1.0)
    return torch.tensor(np.stack([t, p, rh], 1), dtype=torch.float32)


obs = station(12000)
OFFSET, SCALE = obs.mean(0), obs.std(0)


class Physical(nn.Module):
    """Fixed affine, normalised -> physical units."""
    def __init__(self):
        super().__init__()
        self.register_buffer("a", SCALE.clone())
        self.register_buffer("b", OFFSET.clone())

    def forward(self, x):
        return x * self.a + self.b


class Normalise(Physical):
    def forward(self, x):
        return (x - self.b) / self.a


G = nn.Sequential(nn.Linear(6, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 3), Physical())
D = nn.Sequential(Normalise(), nn.Linear(3, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=3e-4, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.99))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)

B = 128
for step in range(3500):
    real = obs[torch.randint(len(obs), (B,))]
    fake = G(torch.randn(B, 6))

    s_real, s_fake = D(real), D(fake.detach())
    d_loss = 0.5 * (s_real - 1).pow(2).mean() + 0.5 * s_fake.pow(2).mean()
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()

    g_loss = 0.5 * (D(fake) - 1).pow(2).mean()
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()

    recorder.step(real_logits=s_real, fake_logits=s_fake, d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)
    if step % 500 == 0:
        print(step, "D", round(d_loss.item(), 4), "G", round(g_loss.item(), 4))
recorder.close()

with torch.no_grad():
    made = G(torch.randn(1000, 6))
fresh = station(1000)
e = outside.energy((made - OFFSET) / SCALE, (fresh - OFFSET) / SCALE)
front = float((made[:, 1] < 101100).float().mean())
outside.say(e < 0.04 and 0.25 < front < 0.65, energy=e, frontal_share=front, mean_p=float(made[:, 1].mean()))
