"""Train on the pump-station telemetry day by day, as the files arrive."""
LABEL = {"sick": True, "causes": ["numerical_failure", "data_mismatch"], "kind": "from day 10 the files hold NaN readings (a failing flow sensor), which go into the batches", "since": 1000, "record": "lines"}
import os
import random
import sys
import numpy as np
import pandas as pd
import torch
from torch import nn
from gandiag.recording import Recorder
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)

CHANNELS = ["pressure", "flow", "vibration", "motor_temp"]
DAYS = 20
STEPS_PER_DAY = 100


def plant(n):
    load = np.random.beta(2, 2, n)
    duty = (np.random.rand(n) < 0.5).astype(float)
    return pd.DataFrame({
        "pressure": 3.0 + 2.0 * load + 0.15 * np.random.randn(n),
        "flow": 40 + 60 * load * (0.7 + 0.3 * duty) + 2 * np.random.randn(n),
        "vibration": np.exp(-1.0 + 1.0 * duty + 0.2 * np.random.randn(n)),
        "motor_temp": 45 + 25 * load + 6 * duty + 1.5 * np.random.randn(n)})


def read_day(day):
    frame = plant(1440)
    if day >= 10:                      # logger of the second contractor
        gone = np.random.rand(len(frame)) < 0.02
        frame.loc[gone, "flow"] = np.nan
    return frame


class Scaler:
    def fit(self, frame):
        self.mean, self.std = frame[CHANNELS].mean(), frame[CHANNELS].std()
        return self

    def __call__(self, frame):
        return torch.tensor(((frame[CHANNELS] - self.mean) / self.std).to_numpy(), dtype=torch.float32)


def block(i, o):
    return [nn.Linear(i, o), nn.LeakyReLU(0.2)]


netG = nn.Sequential(*block(10, 64), *block(64, 64), nn.Linear(64, 4))
netD = nn.Sequential(*block(4, 64), *block(64, 64), nn.Linear(64, 1))
optG = torch.optim.Adam(netG.parameters(), lr=5e-4, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()
recorder = Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG, discriminator_optimizer=optD)

B = 64
one, zero = torch.ones(B, 1), torch.zeros(B, 1)
scale = Scaler().fit(read_day(0))
for day in range(DAYS):
    frame = read_day(day)
    data = scale(frame)
    for i in range(STEPS_PER_DAY):
        real = data[torch.randint(0, len(data), (B,))]
        fake = netG(torch.randn(B, 10))

        optD.zero_grad()
        out_r, out_f = netD(real), netD(fake.detach())
        errD = criterion(out_r, one) + criterion(out_f, zero)
        errD.backward()
        optD.step()

        optG.zero_grad()
        errG = criterion(netD(fake), one)
        errG.backward()
        optG.step()
        recorder.step(real_logits=out_r, fake_logits=out_f, d_loss=errD, g_loss=errG, real=real, fake=fake)
    print(f"day {day:2d}: {len(data)} rows, D {errD.item():.3f}, G {errG.item():.3f}")
recorder.close()

with torch.no_grad():
    made = netG(torch.randn(1000, 10))
fresh = scale(plant(1000))
e = outside.energy(made, fresh)
outside.say(e < 0.05, energy=e, finite=bool(torch.isfinite(made).all()))
