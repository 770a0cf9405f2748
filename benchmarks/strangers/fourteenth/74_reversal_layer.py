"""One optimizer, one backward: adversarial density model of variable-star features with a gradient reversal layer."""
LABEL = {"sick": False, "causes": [], "kind": "both networks in one optimizer and one loss, but a gradient reversal layer makes it a proper game", "since": None, "record": "attach"}
import os
import random
import numpy as np
import torch
from torch import nn
from torch.autograd import Function
import torch.nn.functional as F
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)


class Reverse(Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return -ctx.strength * g, None


def stars(n):
    """(log period, amplitude, skewness) for two kinds of pulsators"""
    kind = np.random.rand(n) < 0.35
    logp = np.where(kind, 0.9, -0.25) + np.where(kind, 0.25, 0.12) * np.random.randn(n)
    amp = np.where(kind, 0.5 + 0.4 * (logp - 0.9), 0.9 - 1.2 * (logp + 0.25)) + 0.1 * np.random.randn(n)
    skew = np.where(kind, -0.2, 0.5) + 0.15 * np.random.randn(n)
    x = np.stack([logp, amp, skew], 1)
    return torch.tensor((x - [0.15, 0.75, 0.25]) / [0.58, 0.28, 0.38], dtype=torch.float32)


class Adversarial(nn.Module):
    def __init__(self, nz=6, h=64):
        super().__init__()
        self.nz = nz
        self.generator = nn.Sequential(nn.Linear(nz, h), nn.Tanh(), nn.Linear(h, h), nn.Tanh(), nn.Linear(h, 3))
        self.discriminator = nn.Sequential(nn.Linear(3, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, 1))

    def sample(self, n):
        return self.generator(torch.randn(n, self.nz))

    def loss(self, x, noise, strength):
        y = Reverse.apply(self.sample(len(x)), strength)
        x = x + noise * torch.randn_like(x)
        y = y + noise * torch.randn_like(y)
        s = self.discriminator(torch.cat([x, y]))
        t = torch.cat([torch.ones(len(x), 1), torch.zeros(len(y), 1)])
        return F.binary_cross_entropy_with_logits(s, t)


model = Adversarial()
opt = torch.optim.Adam([
    {"params": model.generator.parameters(), "lr": 4e-4},
    {"params": model.discriminator.parameters(), "lr": 1.2e-3}], betas=(0.5, 0.99))
catalogue = stars(9000)
STEPS = 5000
for i in range(STEPS):
    x = catalogue[torch.randint(0, len(catalogue), (128,))]
    noise = 0.5 * max(0.0, 1 - i / (0.6 * STEPS)) + 0.05
    loss = model.loss(x, noise, strength=2.0)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if i % 500 == 0:
        print(i, "bce", round(loss.item(), 4), "noise", round(noise, 3))

with torch.no_grad():
    made = model.sample(1000)
fresh = stars(1000)
e = outside.energy(made, fresh)
long_period = float((made[:, 0] > 0.4).float().mean())
outside.say(e < 0.05 and 0.2 < long_period < 0.5, energy=e, long_period_share=long_period)
