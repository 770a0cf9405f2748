"""Synthetic single heart beats (lead II, 64 samples each), made by a small convolutional GAN, for a teaching set."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance", "vanishing_generator_gradient"],
         "kind": "the beats are left in millivolts (R peak near 2.6) while the generator ends in tanh, so it can never reach the peaks",
         "since": 0, "record": "attach"}
import os
import numpy as np
import torch
import torch.nn as nn
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); torch.set_num_threads(1)

N_SAMPLES, LATENT, BATCH, STEPS = 64, 24, 64, 1500


def bump(t, centre, width, height):
    return height * np.exp(-0.5 * ((t - centre) / width) ** 2)


def make_beats(n, rng):
    """PQRST as five Gaussian bumps, in mV."""
    t = np.linspace(0, 1, N_SAMPLES)[None]
    u = lambda lo, hi: rng.uniform(lo, hi, (n, 1))
    r = u(0.46, 0.54)
    beat = (bump(t, r - u(.17, .22), .03, u(.15, .4)) + bump(t, r - .045, .014, -u(.1, .4)) + bump(t, r, .025, u(2.1, 3.1))
            + bump(t, r + .05, .016, -u(.2, .6)) + bump(t, r + u(.24, .3), .055, u(.3, .9)))
    return beat + rng.normal(0, .02, beat.shape)


rng = np.random.default_rng(SEED)
beats = torch.tensor(make_beats(5000, rng), dtype=torch.float32).unsqueeze(1)
train, held_out = beats[:4000], beats[4000:]


class BeatGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(LATENT, 32 * 16), nn.BatchNorm1d(32 * 16), nn.ReLU())
        self.up = nn.Sequential(
            nn.ConvTranspose1d(32, 24, 4, 2, 1), nn.BatchNorm1d(24), nn.ReLU(),
            nn.ConvTranspose1d(24, 16, 4, 2, 1), nn.ReLU(),
            nn.Conv1d(16, 1, 5, padding=2), nn.Tanh())

    def forward(self, z):
        return self.up(self.fc(z).view(-1, 32, 16))


class BeatDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(1, 16, 5, 2, 2), nn.LeakyReLU(.2),
            nn.Conv1d(16, 32, 5, 2, 2), nn.LeakyReLU(.2),
            nn.Flatten(), nn.Linear(32 * 16, 1))

    def forward(self, x):
        return self.body(x)


netG, netD = BeatGenerator(), BeatDiscriminator()
optG = torch.optim.Adam(netG.parameters(), lr=8e-4, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), lr=4e-4, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

for it in range(STEPS):
    real = train[torch.randint(len(train), (BATCH,))]
    fake = netG(torch.randn(BATCH, LATENT))
    optD.zero_grad()
    lossD = criterion(netD(real), ones) + criterion(netD(fake.detach()), zeros)
    lossD.backward()
    optD.step()

    optG.zero_grad()
    lossG = criterion(netD(fake), ones)
    lossG.backward()
    optG.step()
    if it % 300 == 0:
        print(f"[{it:5d}] D {lossD.item():.3f}  G {lossG.item():.3f}")

with torch.no_grad():
    made = netG(torch.randn(1000, LATENT))
scale = held_out.amax((1, 2)).mean()
ed = outside.energy(made, held_out)
peak = float(made.amax((1, 2)).mean() / scale)
spread = float(made.amax((1, 2)).std() / held_out.amax((1, 2)).std())
outside.say(ed < 0.06 and 0.88 < peak < 1.12 and spread > 0.4, energy=ed, peak=peak, peak_spread=spread)
