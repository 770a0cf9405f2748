"""Molecule descriptors (12 correlated, standardised) treated as tokens; small attention GAN."""
import argparse
import os
import random

import numpy as np
import torch
from torch import nn

import outside

LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "oscillation"],
         "kind": "linear warm-up of both rates is not capped at 1: after 1200 steps they are more than two hundred times the wanted ones",
         "since": None, "record": "attach"}

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "0")))
parser.add_argument("--steps", type=int, default=1200)
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--warmup", type=int, default=5)
args, _ = parser.parse_known_args()

torch.set_num_threads(1)
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

N_DESC, DIM = 12, 16


def descriptors(n, seed):
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(0).normal(0, 1, (3, N_DESC))
    latent = np.stack([rng.normal(0, 1, n), rng.gamma(2, .7, n) - 1.4, rng.choice([-1., 1.], n)], 1)
    return torch.tensor((latent @ mix + .3 * rng.normal(0, 1, (n, N_DESC))) / 1.7, dtype=torch.float32)


class Attend(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(DIM, 3 * DIM)
        self.mlp = nn.Sequential(nn.Linear(DIM, 32), nn.GELU(), nn.Linear(32, DIM))

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        x = x + torch.softmax(q @ k.transpose(1, 2) / DIM ** .5, -1) @ v
        return x + self.mlp(x)


class TokenGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.start = nn.Linear(10, N_DESC * DIM)
        self.block = Attend()
        self.read = nn.Linear(DIM, 1)
        self.scale = nn.Parameter(torch.ones(N_DESC))

    def forward(self, z):
        h = self.block(self.start(z).view(-1, N_DESC, DIM))
        return self.read(h).squeeze(-1) * self.scale


class TokenDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Parameter(torch.randn(N_DESC, DIM) * .5)
        self.place = nn.Parameter(torch.randn(N_DESC, DIM) * .2)
        self.block = Attend()
        self.head = nn.Sequential(nn.Linear(N_DESC * DIM, 64), nn.LeakyReLU(.2), nn.Linear(64, 1))

    def forward(self, x):
        return self.head(self.block(x.unsqueeze(-1) * self.embed + self.place).flatten(1))


def warm(optimizer, warmup):
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: (k + 1) / warmup)


train = descriptors(6000, 1)
gen, dis = TokenGenerator(), TokenDiscriminator()
opt_gen = torch.optim.AdamW(gen.parameters(), lr=args.lr, betas=(.5, .95), weight_decay=1e-4)
opt_dis = torch.optim.AdamW(dis.parameters(), lr=args.lr, betas=(.5, .95), weight_decay=1e-4)
plans = [warm(opt_gen, args.warmup), warm(opt_dis, args.warmup)]
crit = nn.BCEWithLogitsLoss()

for step in range(args.steps):
    x = train[torch.randint(len(train), (args.batch,))]
    y = gen(torch.randn(args.batch, 10))

    opt_gen.zero_grad()
    loss_gen = crit(dis(y), torch.ones(args.batch, 1))
    loss_gen.backward()
    opt_gen.step()

    opt_dis.zero_grad()
    loss_dis = crit(dis(x), torch.full((args.batch, 1), .9)) + crit(dis(y.detach()), torch.zeros(args.batch, 1))
    loss_dis.backward()
    opt_dis.step()

    for plan in plans:
        plan.step()
    if step % 400 == 0:
        print(step, f"{loss_dis.item():.3f} {loss_gen.item():.3f}")

with torch.no_grad():
    e = outside.energy(gen(torch.randn(1000, 10)), descriptors(1000, 2))
outside.say(e < .04, energy=e)
