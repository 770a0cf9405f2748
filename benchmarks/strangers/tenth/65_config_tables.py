"""Config tables."""
import os
import random

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

import outside

LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault", "stagnation"],
         "kind": "factory call builds D's optimizer from G's parameters: D is never updated",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
for f in (random.seed, np.random.seed, torch.manual_seed):
    f(SEED)
torch.set_num_threads(1)

CONFIG = {
    "data": {"columns": 6, "jitter": 0.05},
    "generator": {"kind": "residual_mlp", "in_dim": 12, "hidden": 64, "blocks": 2},
    "discriminator": {"kind": "mlp", "hidden": [64, 64], "dropout": 0.1},
    "g_optim": {"kind": "adam", "lr": 1e-3, "betas": (0.5, 0.9)},
    "d_optim": {"kind": "adam", "lr": 1e-3, "betas": (0.5, 0.9)},
    "objective": "hinge",
    "train": {"iterations": 2200, "batch_size": 96},
}

REGISTRY = {}


def register(name):
    def deco(cls):
        REGISTRY[name] = cls
        return cls
    return deco


class Residual(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.a = torch.nn.Linear(width, width)
        self.b = torch.nn.Linear(width, width)

    def forward(self, h):
        return h + self.b(torch.nn.functional.elu(self.a(torch.nn.functional.elu(h))))


@register("residual_mlp")
def residual_mlp(out_dim, in_dim, hidden, blocks):
    return torch.nn.Sequential(torch.nn.Linear(in_dim, hidden), *[Residual(hidden) for _ in range(blocks)],
                               torch.nn.ELU(), torch.nn.Linear(hidden, out_dim))


@register("mlp")
def mlp(in_dim, hidden, dropout):
    layers, last = [], in_dim
    for h in hidden:
        layers += [torch.nn.Linear(last, h), torch.nn.LeakyReLU(0.2), torch.nn.Dropout(dropout)]
        last = h
    return torch.nn.Sequential(*layers, torch.nn.Linear(last, 1))


def build_net(section, dim):
    section = dict(section)
    return REGISTRY[section.pop("kind")](dim, **section)


def build_optimizer(net, section):
    section = dict(section)
    kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[section.pop("kind")]
    return kind(net.parameters(), **section)


OBJECTIVES = {
    "hinge": (lambda r, f: torch.relu(1 - r).mean() + torch.relu(1 + f).mean(), lambda f: -f.mean()),
    "bce": (lambda r, f: torch.nn.functional.softplus(-r).mean() + torch.nn.functional.softplus(f).mean(),
            lambda f: torch.nn.functional.softplus(-f).mean()),
}

cols = CONFIG["data"]["columns"]
table = StandardScaler().fit_transform(load_wine().data)[:, [0, 5, 6, 9, 11, 12]].astype("float32")
table = torch.from_numpy(table)
netG = build_net(CONFIG["generator"], cols)
netD = build_net(CONFIG["discriminator"], cols)
gen_opt = build_optimizer(netG, CONFIG["g_optim"])
disc_opt = build_optimizer(netG, CONFIG["d_optim"])
d_fn, g_fn = OBJECTIVES[CONFIG["objective"]]
bs, zdim = CONFIG["train"]["batch_size"], CONFIG["generator"]["in_dim"]


def batch():
    rows = table[torch.randint(len(table), (bs,))]
    return rows + CONFIG["data"]["jitter"] * torch.randn_like(rows)


for it in range(CONFIG["train"]["iterations"]):
    disc_opt.zero_grad()
    netD.zero_grad()
    fake = netG(torch.randn(bs, zdim))
    d_fn(netD(batch()), netD(fake.detach())).backward()
    disc_opt.step()

    gen_opt.zero_grad()
    g_fn(netD(netG(torch.randn(bs, zdim)))).backward()
    gen_opt.step()

with torch.no_grad():
    synth = netG(torch.randn(1000, zdim))
e = outside.energy(synth, table)
outside.say(e < 0.1, energy=e)
