"""Generates operating states of a gas turbine (five sensors) from the plant's log, read through a plain DataLoader."""
import os, random, sys
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
import gandiag
import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "oscillation", "mode_dropping", "mode_collapse"], "kind": "log is sorted by operating regime and the loader does not shuffle, so long stretches of batches hold a single regime", "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

# idle, ramp, part load, full load: temperature, pressure, speed, flow, vibration (already standardised by the historian)
REGIMES = np.array([[-1.6, -1.4, -1.5, -1.2, 0.3], [-0.4, -0.2, 0.6, -0.5, 1.6], [0.5, 0.4, 0.4, 0.6, -0.8], [1.4, 1.3, 0.6, 1.3, 0.2]])


def read_log(rows_per_regime, rng):
    parts = [c + 0.18 * rng.standard_normal((rows_per_regime, 5)) for c in REGIMES]
    return np.concatenate(parts).astype("float32")


class Scaler:
    def fit(self, x):
        self.m, self.s = x.mean(0), x.std(0)
        return self

    def transform(self, x):
        return (x - self.m) / self.s


rng = np.random.default_rng(SEED)
log = read_log(6400, rng)
scaler = Scaler().fit(log)
loader = DataLoader(TensorDataset(torch.from_numpy(scaler.transform(log))), batch_size=64, shuffle=False, drop_last=True)

G = nn.Sequential(nn.Linear(10, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 5))
D = nn.Sequential(nn.Linear(5, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.0, 0.99))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.0, 0.99))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
bce = nn.BCEWithLogitsLoss()
target_real, target_fake = torch.ones(64, 1), torch.zeros(64, 1)

for epoch in range(8):
    for (x,) in loader:
        z = torch.randn(64, 10)
        fake = G(z)
        d_opt.zero_grad()
        x = (x + 0.05 * torch.randn_like(x)).requires_grad_(True)
        out = D(x)
        slope, = torch.autograd.grad(out.sum(), x, create_graph=True)
        d_loss = bce(out, target_real) + bce(D(fake.detach()), target_fake) + 0.1 * slope.pow(2).sum(1).mean()
        d_loss.backward()
        d_opt.step()
        g_opt.zero_grad()
        g_loss = bce(D(fake), target_real)
        g_loss.backward()
        g_opt.step()
    print(f"epoch {epoch}: d={d_loss.item():.4f} g={g_loss.item():.4f}")

with torch.no_grad():
    s = G(torch.randn(1000, 10)).numpy()
centres = scaler.transform(REGIMES)
m, near = outside.modes(s, centres, 0.9)
e = outside.energy(s, scaler.transform(read_log(250, rng)))
outside.say(m == 4 and e < 0.06, modes=m, near=near, energy=e)
