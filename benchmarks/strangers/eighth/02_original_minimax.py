"""Generative Adversarial Nets (2014), Algorithm 1, on the small scikit-learn digits."""
import os
import sys
import random
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import gandiag
import outside

LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance", "objective_fault"],
         "kind": "saturating log(1-D) generator loss against a discriminator trained to near perfection beforehand and with k=2",
         "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)
EPS = 1e-8


class Maxout(nn.Module):
    def __init__(self, i, o, k=3):
        super().__init__()
        self.lin, self.k = nn.Linear(i, o * k), k

    def forward(self, x):
        return self.lin(x).view(len(x), -1, self.k).max(2)[0]


class G(nn.Module):
    def __init__(self, nz=20):
        super().__init__()
        self.nz = nz
        self.fc1, self.fc2, self.out = nn.Linear(nz, 128), nn.Linear(128, 128), nn.Linear(128, 64)

    def forward(self, z):
        return torch.tanh(self.out(F.relu(self.fc2(F.relu(self.fc1(z))))))


class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.m1, self.m2, self.out = Maxout(64, 64), Maxout(64, 64), nn.Linear(64, 1)

    def forward(self, x):
        return torch.sigmoid(self.out(self.m2(self.m1(x))))


data = outside.digits()[0].view(-1, 64)


def batch(m=64):
    return data[torch.randint(0, len(data), (m,))]


def value(x, gz):
    return torch.log(d(x) + EPS).mean() + torch.log(1 - d(gz) + EPS).mean()


g, d = G(), D()
opt_g = torch.optim.SGD(g.parameters(), lr=0.05, momentum=0.5)
opt_d = torch.optim.SGD(d.parameters(), lr=0.05, momentum=0.5)


def ascend_d():
    opt_d.zero_grad()
    loss = -value(batch(), g(torch.randn(64, g.nz)).detach())
    loss.backward()
    opt_d.step()
    return loss


# give the generator a meaningful opponent from the beginning
for _ in range(500):
    ascend_d()

rec = gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=opt_g,
                       discriminator_optimizer=opt_d, discriminator_output="probability")
K = 2
for step in range(2000):
    for _ in range(K):
        d_loss = ascend_d()
    opt_g.zero_grad()
    g_loss = torch.log(1 - d(g(torch.randn(64, g.nz))) + EPS).mean()
    g_loss.backward()
    opt_g.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
    if step % 500 == 0:
        print(f"{step:5d} V(D) {-d_loss.item():.4f} G {g_loss.item():.4f}")
rec.close()

with torch.no_grad():
    out = g(torch.randn(1000, g.nz))
e = outside.energy(out, data)
classes, near, _ = outside.digit_quality(out)
outside.say(e < 0.12 and classes >= 5, energy=e, classes=classes, nearest=near)
