"""Conditional DCGAN homework: one-hot labels as extra channels, hinge-free plain BCE with one-sided smoothing at 0.9."""
LABEL = {"sick": False, "causes": [], "kind": "conditional conv GAN with one-hot planes and one-sided label smoothing", "since": None, "record": "attach"}
import os, random
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
import outside

SEED = int(os.environ.get("SEED", "0"))
for seeder in (random.seed, np.random.seed, torch.manual_seed):
    seeder(SEED)
torch.set_num_threads(1)

CFG = dict(z=20, width=24, lr_g=1e-3, lr_d=5e-4, batch=64, steps=1500, smooth=0.9)
x_all, y_all = outside.digits()

class G(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.fc = nn.Linear(CFG["z"] + 10, w * 2 * 16)
        self.bn0 = nn.BatchNorm1d(w * 2 * 16)
        self.c1 = nn.Conv2d(w * 2, w, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(w)
        self.c2 = nn.Conv2d(w, 1, 3, padding=1)
        self.w = w
    def forward(self, z, y):
        h = torch.cat([z, F.one_hot(y, 10).float()], 1)
        h = F.relu(self.bn0(self.fc(h))).view(-1, self.w * 2, 4, 4)
        h = F.interpolate(h, scale_factor=2)
        h = F.relu(self.bn1(self.c1(h)))
        return torch.tanh(self.c2(h))

class D(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.c1 = nn.Conv2d(11, w, 3, stride=2, padding=1)
        self.c2 = nn.Conv2d(w, w * 2, 3, stride=2, padding=1)
        self.drop = nn.Dropout(0.25)
        self.fc = nn.Linear(w * 2 * 4, 1)
    def forward(self, x, y):
        planes = F.one_hot(y, 10).float()[:, :, None, None].expand(-1, 10, 8, 8)
        h = F.leaky_relu(self.c1(torch.cat([x, planes], 1)), 0.2)
        h = self.drop(F.leaky_relu(self.c2(h), 0.2))
        return self.fc(h.flatten(1)).squeeze(1)

g, d = G(CFG["width"]), D(CFG["width"])
og = torch.optim.Adam(g.parameters(), CFG["lr_g"], betas=(0.5, 0.999))
od = torch.optim.Adam(d.parameters(), CFG["lr_d"], betas=(0.5, 0.999))
bce = F.binary_cross_entropy_with_logits

def d_step(x, y):
    z = torch.randn(len(x), CFG["z"])
    with torch.no_grad():
        f = g(z, y)
    r, k = d(x, y), d(f, y)
    loss = bce(r, torch.full_like(r, CFG["smooth"])) + bce(k, torch.zeros_like(k))
    od.zero_grad(); loss.backward(); od.step()
    return loss.item()

def g_step(n):
    y = torch.randint(0, 10, (n,))
    k = d(g(torch.randn(n, CFG["z"]), y), y)
    loss = bce(k, torch.ones_like(k))
    og.zero_grad(); loss.backward(); og.step()
    return loss.item()

for s in range(CFG["steps"]):
    b = torch.randint(0, len(x_all), (CFG["batch"],))
    ld = d_step(x_all[b], y_all[b])
    lg = g_step(CFG["batch"])
    if s % 500 == 0:
        print(s, round(ld, 3), round(lg, 3))

want = torch.arange(1000) % 10
with torch.no_grad():
    out = g(torch.randn(1000, CFG["z"]), want)
classes, ratio, acc = outside.digit_quality(out, want)
outside.say(classes >= 9 and ratio < 1.4 and acc > 0.75, classes=classes, ratio=ratio, accuracy=acc)
