"""LSGAN on our building's logger file (temperature, humidity, power, CO2), one year at ten-minute rows."""
LABEL = {"sick": True, "causes": ["data_mismatch", "memorisation"], "kind": "real = next(iter(loader)) inside the loop with an unshuffled loader: always the first 32 rows of the file", "since": 0, "record": "lines"}
import os, random, sys
import numpy as np, torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def logger_file(n=8000):
    r = np.random.default_rng(8)
    t = np.linspace(0, 1, n); day = np.linspace(0, 2 * np.pi * 365, n)
    temp = 12 - 10 * np.cos(2 * np.pi * t) + 4 * np.sin(day) + r.normal(0, 1, n)
    hum = 60 + 15 * np.cos(2 * np.pi * t + 1) - 5 * np.sin(day) + r.normal(0, 3, n)
    power = np.abs(temp - 16) * .8 + 2 * (np.sin(day) > 0) + r.normal(0, .3, n)
    co2 = 450 + 200 * (np.sin(day) > .3) + 4 * power + r.normal(0, 20, n)
    return np.stack([temp, hum, power, co2], 1)


raw = logger_file()
table = torch.tensor((raw - raw.mean(0)) / raw.std(0), dtype=torch.float32)
loader = DataLoader(TensorDataset(table), batch_size=32, shuffle=False)

H = 64
G = nn.Sequential(nn.Linear(6, H), nn.ReLU(), nn.Linear(H, H), nn.ReLU(), nn.Linear(H, 4))
D = nn.Sequential(nn.Linear(4, H), nn.LeakyReLU(.2), nn.Linear(H, H), nn.LeakyReLU(.2), nn.Linear(H, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
mse = nn.MSELoss()

losses = {"d": [], "g": []}
for i in range(4000):
    real = next(iter(loader))[0]
    ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)

    d_opt.zero_grad()
    fake = G(torch.randn(len(real), 6))
    d_loss = .5 * (mse(D(real), ones) + mse(D(fake.detach()), zeros))
    d_loss.backward()
    d_opt.step()

    g_opt.zero_grad()
    g_loss = .5 * mse(D(fake), ones)
    g_loss.backward()
    g_opt.step()
    losses["d"].append(d_loss.item()); losses["g"].append(g_loss.item())
    rec.step(d_loss=d_loss, g_loss=g_loss)
    if (i + 1) % 1000 == 0:
        print(i + 1, "D %.3f G %.3f" % (np.mean(losses["d"][-200:]), np.mean(losses["g"][-200:])))
rec.close()

with torch.no_grad():
    f = G(torch.randn(1000, 6))
e = outside.energy(f, table[torch.randperm(len(table))])
outside.say(e < 0.05, energy=e)
