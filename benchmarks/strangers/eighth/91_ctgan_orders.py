"""Synthetic order table: two numeric and two categorical columns, CTGAN-style (Gumbel softmax, packing, WGAN-GP)."""
import os, random, sys
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "unusual: mixed table with Gumbel-softmax fakes against one-hot reals, packed critic, negative Wasserstein losses",
         "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


def orders(n, seed):
    rng = np.random.default_rng(seed)
    channel = rng.choice(["shop", "web", "phone"], n, p=[.5, .35, .15])
    late = np.where(rng.random(n) < np.where(channel == "phone", .6, .25), "yes", "no")
    amount = np.exp(rng.normal(3, .5, n)) * np.where(channel == "web", 1.6, 1.0)
    days = rng.normal(4, 1, n) + 4 * (late == "yes")
    return pd.DataFrame({"channel": channel, "late": late, "amount": amount, "days": days})


class Transformer:
    numeric, categorical = ["amount", "days"], {"channel": ["shop", "web", "phone"], "late": ["no", "yes"]}

    def fit_transform(self, df):
        num = np.stack([np.log(df.amount), df.days], 1)
        self.mu, self.sd = num.mean(0), num.std(0)
        return self.transform(df)

    def transform(self, df):
        num = (np.stack([np.log(df.amount), df.days], 1) - self.mu) / self.sd
        hot = [(df[c].to_numpy(dtype=object)[:, None] == np.array(v, dtype=object)[None]).astype(float) for c, v in self.categorical.items()]
        return torch.tensor(np.concatenate([num] + hot, 1), dtype=torch.float32)


class Residual(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.fc, self.bn = nn.Linear(i, o), nn.BatchNorm1d(o)

    def forward(self, x):
        return torch.cat([F.relu(self.bn(self.fc(x))), x], 1)


class Generator(nn.Module):
    def __init__(self, nz=16):
        super().__init__()
        self.seq = nn.Sequential(Residual(nz, 48), Residual(nz + 48, 48), nn.Linear(nz + 96, 7))

    def forward(self, z):
        o = self.seq(z)
        return torch.cat([o[:, :2], F.gumbel_softmax(o[:, 2:5], tau=.2), F.gumbel_softmax(o[:, 5:7], tau=.2)], 1)


class PackedCritic(nn.Module):
    pac = 4

    def __init__(self):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear(7 * self.pac, 96), nn.LeakyReLU(.2), nn.Dropout(.2), nn.Linear(96, 96), nn.LeakyReLU(.2), nn.Linear(96, 1))

    def forward(self, x):
        return self.seq(x.reshape(-1, 7 * self.pac))

    def gradient_penalty(self, real, fake):
        a = torch.rand(len(real) // self.pac, 1, 1).expand(-1, self.pac, 7).reshape(-1, 7)
        mid = (a * real + (1 - a) * fake).requires_grad_()
        g, = torch.autograd.grad(self(mid).sum(), mid, create_graph=True)
        return 10 * ((g.reshape(-1, 7 * self.pac).norm(dim=1) - 1) ** 2).mean()


tf = Transformer()
table = tf.fit_transform(orders(5000, 1))
G, D = Generator(), PackedCritic()
g_opt = torch.optim.Adam(G.parameters(), 5e-4, betas=(.5, .9), weight_decay=1e-6)
d_opt = torch.optim.Adam(D.parameters(), 5e-4, betas=(.5, .9))
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt,
                      discriminator_optimizer=d_opt, automatic=True):
    for _ in range(1300):
        real = table[torch.randperm(5000)[:160]]
        fake = G(torch.randn(160, 16))
        d_loss = D(fake.detach()).mean() - D(real).mean() + D.gradient_penalty(real, fake.detach())
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
        g_loss = -D(G(torch.randn(160, 16))).mean()
        g_opt.zero_grad(); g_loss.backward(); g_opt.step()

with torch.no_grad():
    synth = G(torch.randn(1000, 16))
e = outside.energy(synth, tf.transform(orders(1000, 2)))
outside.say(e < .06, energy=e)
