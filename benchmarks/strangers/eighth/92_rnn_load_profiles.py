"""Day-ahead load profiles (8 three-hour values) with a recurrent GAN, LSGAN loss."""
# Discriminator sees noisy inputs, D and G have different rates.
import os
import random
import numpy as np
import torch
import torch.nn as nn
import outside

LABEL = {"sick": False, "causes": [], "kind": "unusual: recurrent nets, instance noise, gradient clipping, linear decay, D close to chance most of the time",
         "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
np.random.seed(SEED)
random.seed(SEED)
torch.set_num_threads(1)

T, NZ = 8, 4


def profiles(n):
    h = torch.arange(T) * 3.0
    weekend = (torch.rand(n, 1) < 0.4).float()
    morning = (1 - weekend) * torch.exp(-(h - 8 - 0.7 * torch.randn(n, 1)) ** 2 / 8)
    evening = torch.exp(-(h - 19 - 0.7 * torch.randn(n, 1)) ** 2 / 10)
    level = 0.2 * torch.randn(n, 1)
    return (morning + evening * (1.0 + 0.2 * torch.randn(n, 1)) - 0.5 + level + 0.04 * torch.randn(n, T)).unsqueeze(-1)


class RecurrentG(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.h0 = nn.Linear(8, hidden)
        self.gru = nn.GRU(NZ, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, n):
        h = torch.tanh(self.h0(torch.randn(n, 8)))
        y, _ = self.gru(torch.randn(n, T, NZ) * 0.5, h.unsqueeze(0))
        return self.out(y)


class RecurrentD(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.out = nn.Sequential(nn.Linear(2 * hidden, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))

    def forward(self, x):
        y, _ = self.gru(x)
        return self.out(torch.cat([y.mean(1), y.amax(1)], 1))


g, d = RecurrentG(), RecurrentD()
og = torch.optim.Adam(g.parameters(), lr=2e-3, betas=(0.5, 0.99))
od = torch.optim.Adam(d.parameters(), lr=2e-3, betas=(0.5, 0.99))
store = profiles(6000)
STEPS = 1100
decay = [torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.05, STEPS) for o in (og, od)]
for k in range(STEPS):
    sigma = 0.15 * max(0.0, 1 - k / (0.5 * STEPS))
    x = store[torch.randint(6000, (48,))]
    y = g(48)
    real_in = x + sigma * torch.randn_like(x)
    fake_in = y + sigma * torch.randn_like(y)
    ld = ((d(real_in) - 1) ** 2).mean() + (d(fake_in.detach()) ** 2).mean()
    od.zero_grad()
    ld.backward()
    nn.utils.clip_grad_norm_(d.parameters(), 1.0)
    od.step()

    lg = ((d(fake_in) - 1) ** 2).mean()
    og.zero_grad()
    lg.backward()
    nn.utils.clip_grad_norm_(g.parameters(), 1.0)
    og.step()
    for s in decay:
        s.step()
    if k % 300 == 0:
        print(k, "%.3f %.3f" % (ld.item(), lg.item()))

with torch.no_grad():
    e = outside.energy(g(1000), profiles(1000))
outside.say(e < 0.05, energy=e)
