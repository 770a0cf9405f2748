"""Iris LSGAN, batch of 16. Student project."""
import os, sys, random
import numpy as np, torch
from sklearn.datasets import load_iris
import torch.nn as nn
import gandiag, outside

LABEL = {"sick": False, "causes": [], "kind": "150 flowers, batches of 16, LSGAN with rates falling linearly to zero: noisy losses but a good table", "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

data = load_iris().data
lo, hi = data.min(0), data.max(0)
x_all = torch.tensor((data - lo) / (hi - lo), dtype=torch.float32)      # in [0, 1]

class G_net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(6, 40), nn.Linear(40, 40), nn.Linear(40, 4)
    def forward(self, z):
        z = nn.functional.leaky_relu(self.a(z), 0.1)
        z = nn.functional.leaky_relu(self.b(z), 0.1)
        return torch.sigmoid(self.c(z))

class D_net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 40), nn.Linear(40, 40), nn.Linear(40, 1)
        self.drop = nn.Dropout(0.2)
    def forward(self, x):
        x = self.drop(nn.functional.leaky_relu(self.a(x), 0.2))
        x = self.drop(nn.functional.leaky_relu(self.b(x), 0.2))
        return self.c(x)

g, d = G_net(), D_net()
og = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0.5, 0.999))
od = torch.optim.Adam(d.parameters(), lr=2e-3, betas=(0.5, 0.999))
total = 2600
sg = torch.optim.lr_scheduler.LambdaLR(og, lambda s: 1 - s / total)
sd = torch.optim.lr_scheduler.LambdaLR(od, lambda s: 1 - s / total)
mse = nn.MSELoss()
bs = 16
rec = gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od)
for t in range(total):
    xb = x_all[torch.randint(0, 150, (bs,))] + 0.01 * torch.randn(bs, 4)
    xf = g(torch.randn(bs, 6))
    od.zero_grad()
    d_loss = mse(d(xb), torch.ones(bs, 1)) + mse(d(xf.detach()), torch.zeros(bs, 1))
    d_loss.backward()
    od.step()
    og.zero_grad()
    g_loss = mse(d(xf), torch.ones(bs, 1))
    g_loss.backward()
    og.step()
    sg.step(); sd.step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real=xb, fake=xf)
rec.close()

with torch.no_grad():
    s = g(torch.randn(1000, 6))
e = outside.energy(s, x_all)
outside.say(e < 0.06, energy=e)
