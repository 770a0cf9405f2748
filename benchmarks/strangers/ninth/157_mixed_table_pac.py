"""CTGAN-like model for a mixed table (two continuous columns, two categorical ones), packed critic, gumbel-softmax outputs."""
import os
import random
import sys

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
import torch.nn.functional as F

import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "one-hot columns from gumbel-softmax, four rows packed for D, continuous and categorical parts together",
         "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

PAC, BATCH = 4, 128


def orders(n, seed):
    r = np.random.default_rng(seed)
    region = r.choice(3, n, p=[.5, .3, .2])
    plan = np.where(r.random(n) < .75, region % 2, 1 - region % 2)
    amount = np.array([-.8, .3, 1.1])[region] + .3 * r.standard_normal(n)
    delay = .5 * plan - .25 + .4 * amount + .2 * r.standard_normal(n)
    return pd.DataFrame({"region": region, "plan": plan, "amount": amount, "delay": delay})


def encode(df):
    return torch.cat([F.one_hot(torch.tensor(df.region.values), 3).float(), F.one_hot(torch.tensor(df.plan.values), 2).float(),
                      torch.tensor(df[["amount", "delay"]].values, dtype=torch.float32)], 1)


class TableGenerator(nn.Module):
    def __init__(self, z=16, w=64):
        super().__init__()
        self.z = z
        self.trunk = nn.Sequential(nn.Linear(z, w), nn.ReLU(), nn.Linear(w, w), nn.ReLU())
        self.region, self.plan, self.cont = nn.Linear(w, 3), nn.Linear(w, 2), nn.Linear(w + 5, 2)

    def forward(self, z):
        h = self.trunk(z)
        a, b = (F.gumbel_softmax(f(h), tau=0.3) for f in (self.region, self.plan))
        return torch.cat([a, b, self.cont(torch.cat([h, a, b], 1))], 1)


class PackedCritic(nn.Module):
    def __init__(self, cols=7, w=96):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(cols * PAC, w), nn.LeakyReLU(.2), nn.Linear(w, w), nn.LeakyReLU(.2), nn.Linear(w, 1))

    def forward(self, rows):
        return self.net(rows.reshape(len(rows) // PAC, -1))


def penalty(critic, a, b, weight):
    t = torch.rand(len(a) // PAC, 1, 1).expand(-1, PAC, 1).reshape(-1, 1)
    m = (t * a + (1 - t) * b).requires_grad_()
    g, = torch.autograd.grad(critic(m).sum(), m, create_graph=True)
    return weight * (g.reshape(len(a) // PAC, -1).norm(dim=1) - 1).pow(2).mean()


real_table = encode(orders(5000, 10))
gen, critic = TableGenerator(), PackedCritic()
opt_gen = torch.optim.Adam(gen.parameters(), lr=8e-4, betas=(.5, .9), weight_decay=1e-6)
opt_critic = torch.optim.Adam(critic.parameters(), lr=8e-4, betas=(.5, .9))
rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=critic, generator_optimizer=opt_gen,
                       discriminator_optimizer=opt_critic, automatic=True)
for step in range(900):
    for _ in range(3):
        real = real_table[torch.randint(0, 5000, (BATCH,))]
        fake = gen(torch.randn(BATCH, gen.z)).detach()
        loss_critic = critic(fake).mean() - critic(real).mean() + penalty(critic, real, fake, 10.)
        opt_critic.zero_grad()
        loss_critic.backward()
        opt_critic.step()
    loss_gen = -critic(gen(torch.randn(BATCH, gen.z))).mean()
    opt_gen.zero_grad()
    loss_gen.backward()
    opt_gen.step()
rec.close()

with torch.no_grad():
    rows = gen(torch.randn(2000, gen.z))
test = encode(orders(2000, 11))
e = outside.energy(rows, test)
joint = lambda t: np.bincount((t[:, :3].argmax(1) * 2 + t[:, 3:5].argmax(1)).numpy(), minlength=6) / len(t)
gap = float(np.abs(joint(rows) - joint(test)).sum())
outside.say(e < 0.04 and gap < 0.4, energy=e, category_gap=gap)
