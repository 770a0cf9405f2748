"""Fit a small tabular GAN to the building sensor log so that we can publish synthetic rows."""
LABEL = {"sick": True, "causes": ["data_mismatch", "oscillation"], "kind": "the table is sorted by outdoor temperature and the loader does not shuffle: G follows whatever regime is being read", "since": 0, "record": "automatic"}
import os
import random
import sys
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
import outside
from gandiag.recording import Recorder

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)

COLS = ["t_out", "heat_kw", "fan_rpm", "co2"]


def make_log(n):
    t_out = np.random.uniform(-10, 30, n)
    heat = np.clip(18 - t_out, 0, None) * 1.8 + np.random.gamma(2.0, 1.0, n)
    fan = 600 + 25 * np.clip(t_out - 15, 0, None) + 30 * np.random.randn(n)
    co2 = 550 + 6 * np.abs(t_out - 16) + 40 * np.random.randn(n)
    return pd.DataFrame(dict(zip(COLS, [t_out, heat, fan, co2])))


def prepare(frame, stats):
    return ((frame[COLS] - stats.loc["mean"]) / stats.loc["std"]).to_numpy("float32")


log = make_log(20000)
stats = log.agg(["mean", "std"])
# binned means for the report further down in the notebook
log = log.sort_values("t_out").reset_index(drop=True)
by_bin = log.groupby(np.arange(len(log)) // 2000).mean().round(1)
print(by_bin)

rows = torch.from_numpy(prepare(log, stats))
loader = DataLoader(TensorDataset(rows), batch_size=64, shuffle=False, drop_last=True)

G = nn.Sequential(nn.Linear(8, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 4))
D = nn.Sequential(nn.Linear(4, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)

EPOCHS = 8
for epoch in range(EPOCHS):
    ld = lg = 0.0
    for (real,) in loader:
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        fake = G(torch.randn(len(real), 8))

        opt_d.zero_grad()
        loss_d = bce(D(real), ones) + bce(D(fake.detach()), zeros)
        loss_d.backward()
        opt_d.step()

        opt_g.zero_grad()
        loss_g = bce(D(fake), ones)
        loss_g.backward()
        opt_g.step()
        ld += loss_d.item() / len(loader)
        lg += loss_g.item() / len(loader)
    print(f"epoch {epoch + 1}/{EPOCHS}  D {ld:.3f}  G {lg:.3f}")
recorder.close()

with torch.no_grad():
    made = G(torch.randn(1000, 8)).numpy()
fresh = prepare(make_log(1000), stats)
e = outside.energy(made, fresh)
t = made[:, 0] * stats.loc["std", "t_out"] + stats.loc["mean", "t_out"]
outside.say(e < 0.05, energy=e, t_mean=float(t.mean()), t_sd=float(t.std()))
