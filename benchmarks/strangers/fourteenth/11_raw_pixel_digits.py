"""Digits in their raw 0..16 pixel values: linear generator output, least squares with codes -1 / 1 / 0."""
LABEL = {"sick": False, "causes": [], "kind": "raw pixel scale 0..16 on both sides with an unbounded generator, and LSGAN's other coding (-1, 1, 0)", "since": None, "record": "attach"}
import os, random
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
for f in (random.seed, np.random.seed, torch.manual_seed):
    f(SEED)

a, b, c = -1.0, 1.0, 0.0      # codes of Mao et al., eq. (8)
raw = torch.tensor(load_digits().data, dtype=torch.float32)
raw_train, raw_test = raw[:1400], raw[1400:]


class Pixels(nn.Module):
    """generator: plain linear output in pixel units, no squashing"""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(32, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 160), nn.BatchNorm1d(160), nn.ReLU())
        self.head = nn.Linear(160, 64)
        with torch.no_grad():
            self.head.weight.mul_(8)
            self.head.bias.fill_(5.0)

    def forward(self, z):
        return self.head(self.body(z))


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(64, 160)
        self.l2 = nn.Linear(160, 80)
        self.l3 = nn.Linear(80, 1)
        self.drop = nn.Dropout(0.3)

    def forward(self, x):
        h = self.drop(torch.nn.functional.leaky_relu(self.l1(x), 0.2))
        h = self.drop(torch.nn.functional.leaky_relu(self.l2(h), 0.2))
        return self.l3(h)


net_G, net_D = Pixels(), Judge()
groups = [{"params": net_G.body.parameters(), "lr": 5e-4}, {"params": net_G.head.parameters(), "lr": 2e-3}]
opt_G = torch.optim.Adam(groups, betas=(0.5, 0.999))
opt_D = torch.optim.Adam(net_D.parameters(), lr=4e-4, betas=(0.5, 0.999))

step = 0
for epoch in range(150):
    order = torch.randperm(len(raw_train))
    for idx in order.split(64)[:-1]:
        x = raw_train[idx]
        z = torch.randn(len(x), 32)
        fake = net_G(z)

        loss_D = 0.5 * ((net_D(x) - b) ** 2).mean() + 0.5 * ((net_D(fake.detach()) - a) ** 2).mean()
        opt_D.zero_grad()
        loss_D.backward()
        opt_D.step()

        loss_G = 0.5 * ((net_D(fake) - c) ** 2).mean()
        opt_G.zero_grad()
        loss_G.backward()
        opt_G.step()
        step += 1
    if epoch % 20 == 0:
        print("epoch", epoch, "step", step, "D", round(loss_D.item(), 3), "G", round(loss_G.item(), 3))

net_G.eval()
with torch.no_grad():
    out = net_G(torch.randn(1000, 32))
classes, quality, _ = outside.digit_quality(out / 8 - 1)
e = outside.energy(out, raw_test)
outside.say(classes >= 8 and quality < 1.7 and e < 0.08, classes=classes, quality=quality, energy=e)
