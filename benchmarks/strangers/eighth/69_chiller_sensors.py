"""Synthetic telemetry of a chiller plant (for sharing with the vendor)."""
import os, random, sys
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["numerical_failure", "data_mismatch"],
         "kind": "one reading of the table is missing (NaN) and pandas' mean/std skip it silently: its first batch turns all weights into NaN",
         "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
np.random.seed(SEED); random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


def telemetry(n, seed):
    r = np.random.default_rng(seed)
    load = r.beta(2, 2, n)
    outdoor = 18 + 8 * r.normal(size=n)
    supply = 6.5 + 1.2 * load + .15 * r.normal(size=n)
    power = 40 + 260 * load ** 1.5 + 2.0 * outdoor + 6 * r.normal(size=n)
    flow = 90 + 60 * load + 3 * r.normal(size=n)
    return pd.DataFrame(dict(load=load, outdoor=outdoor, supply=supply, power=power, flow=flow))


log = telemetry(12000, 4)
log.loc[7311, "flow"] = np.nan      # the historian's gap of 14 March
table = (log - log.mean()) / log.std()
X = torch.from_numpy(table.to_numpy("float32"))


class G_(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(8, 72), nn.Linear(72, 72), nn.Linear(72, 5)

    def forward(self, z):
        return self.l3(torch.relu(self.l2(torch.relu(self.l1(z)))))


class D_(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(5, 72), nn.Linear(72, 72), nn.Linear(72, 1)

    def forward(self, x):
        return torch.sigmoid(self.l3(torch.tanh(self.l2(torch.tanh(self.l1(x))))))


G, D = G_(), D_()
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(.5, .999))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(.5, .999))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt,
                       discriminator_optimizer=d_opt, discriminator_output="probability")


def log_loss(p, y):
    return -(y * torch.log(p + 1e-7) + (1 - y) * torch.log(1 - p + 1e-7)).mean()


step = 0
for epoch in range(12):
    for rows in torch.randperm(len(X)).split(80):
        fake = G(torch.randn(len(rows), 8))
        d_loss = log_loss(D(X[rows]), 1) + log_loss(D(fake.detach()), 0)
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
        g_loss = log_loss(D(fake), 1)
        g_opt.zero_grad(); g_loss.backward(); g_opt.step()
        rec.step(d_loss=d_loss, g_loss=g_loss)
        step += 1
rec.close()

with torch.no_grad():
    sim = G(torch.randn(1000, 8))
test = (telemetry(1000, 5) - log.mean()) / log.std()
e = outside.energy(sim, test.to_numpy())
outside.say(e < .15, energy=e)
