"""DCGAN-1D for single heartbeats (lead II), after the 'synthetic ECG' tutorial."""
import os
import random
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader
import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "memorisation", "mode_dropping", "discriminator_overfitting"],
         "kind": "next(iter(loader)) without shuffling inside the loop: every step sees the same first batch (one patient)",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


class Beats(Dataset):
    """20 patients, 60 beats each; every patient has his own QRS width, T wave and axis"""

    def __init__(self, n_patients=20, per_patient=60, seed=3):
        rng = np.random.default_rng(seed)
        t = np.linspace(-0.4, 0.6, 48)
        wave = lambda c, w: np.exp(-((t - c) / w) ** 2)
        out = []
        for _ in range(n_patients):
            p, r, s, tw = rng.uniform(.05, .2), rng.uniform(.4, .95), rng.uniform(.05, .4), rng.uniform(-.3, .45)
            width, tpos = rng.uniform(.02, .05), rng.uniform(.22, .4)
            for _ in range(per_patient):
                j = 1 + 0.06 * rng.standard_normal(4)
                beat = (p * j[0] * wave(-.2, .05) + r * j[1] * wave(0, width)
                        - s * j[2] * wave(.06, width) + tw * j[3] * wave(tpos, .08))
                out.append(beat + 0.01 * rng.standard_normal(t.size))
        self.beats = torch.tensor(np.stack(out), dtype=torch.float32)[:, None]

    def __len__(self):
        return len(self.beats)

    def __getitem__(self, i):
        return self.beats[i]


class Gen(nn.Module):
    def __init__(self, nz=20, nf=16):
        super().__init__()
        self.nz = nz
        self.main = nn.Sequential(
            nn.ConvTranspose1d(nz, nf * 2, 12, bias=False), nn.BatchNorm1d(nf * 2), nn.ReLU(True),
            nn.ConvTranspose1d(nf * 2, nf, 4, 2, 1, bias=False), nn.BatchNorm1d(nf), nn.ReLU(True),
            nn.ConvTranspose1d(nf, 1, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        return self.main(z[:, :, None])


class Disc(nn.Module):
    def __init__(self, nf=16):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv1d(1, nf, 4, 2, 1), nn.LeakyReLU(0.2, True),
            nn.Conv1d(nf, nf * 2, 4, 2, 1), nn.LeakyReLU(0.2, True),
            nn.Conv1d(nf * 2, 1, 12))

    def forward(self, x):
        return self.main(x).view(-1)


dataset = Beats()
train_loader = DataLoader(dataset, batch_size=32, shuffle=False)
gen, disc = Gen(), Disc()
gopt = torch.optim.Adam(gen.parameters(), lr=4e-4, betas=(0.5, 0.999))
dopt = torch.optim.Adam(disc.parameters(), lr=4e-4, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()

for step in range(1, 1501):
    real = next(iter(train_loader))
    n = real.shape[0]

    disc.zero_grad()
    err_real = criterion(disc(real), torch.full((n,), 0.9))
    fake = gen(torch.randn(n, gen.nz))
    err_fake = criterion(disc(fake.detach()), torch.zeros(n))
    (err_real + err_fake).backward()
    dopt.step()

    gen.zero_grad()
    err_g = criterion(disc(fake), torch.ones(n))
    err_g.backward()
    gopt.step()

    if step % 500 == 0:
        print(step, "D", round((err_real + err_fake).item(), 3), "G", round(err_g.item(), 3))

with torch.no_grad():
    beats = gen(torch.randn(1000, gen.nz))
reference = dataset.beats[torch.randperm(len(dataset))[:1000]]
e = outside.energy(beats, reference)
outside.say(e < 0.12, energy=e)
