"""Config-driven trainer of our lab's toy zoo (two spirals experiment)."""
LABEL = {"sick": True, "causes": ["objective_fault"],
         "kind": "target of the G step is the fake label: G is trained to be recognised as fake", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
from torch import nn
import outside

SEED = int(os.environ.get("SEED", "0"))

CONFIG = {
    "data": {"name": "spirals", "n": 4000, "noise": 0.04},
    "generator": {"type": "mlp", "sizes": [8, 80, 80, 2], "act": "gelu", "norm": True},
    "discriminator": {"type": "mlp", "sizes": [2, 100, 100, 1], "act": "leaky", "norm": False},
    "optim": {"name": "AdamW", "lr": 1e-3, "betas": (0.5, 0.99), "weight_decay": 1e-4},
    "loss": {"name": "bce", "real": 1.0, "fake": 0.0},
    "train": {"iterations": 2200, "batch": 100, "log_every": 1000},
}

ACTS = {"gelu": nn.GELU, "leaky": lambda: nn.LeakyReLU(0.2), "tanh": nn.Tanh}
REGISTRY = {}


def register(name):
    def deco(fn):
        REGISTRY[name] = fn
        return fn
    return deco


@register("spirals")
def spirals(n, noise):
    t = np.sqrt(np.random.rand(n)) * 2.2 * np.pi
    s = np.where(np.random.rand(n) < 0.5, 1, -1)
    xy = np.c_[s * t * np.cos(t), s * t * np.sin(t)] / 5 + noise * np.random.randn(n, 2)
    return torch.as_tensor(xy, dtype=torch.float32)


@register("mlp")
def mlp(sizes, act, norm):
    mods = []
    for i in range(len(sizes) - 2):
        mods.append(nn.Linear(sizes[i], sizes[i + 1]))
        if norm:
            mods.append(nn.LayerNorm(sizes[i + 1]))
        mods.append(ACTS[act]())
    mods.append(nn.Linear(sizes[-2], sizes[-1]))
    return nn.Sequential(*mods)


def build(cfg, key):
    kw = dict(cfg)
    return REGISTRY[kw.pop(key)](**kw)


class AdversarialLoss(nn.Module):
    def __init__(self, name, real, fake):
        super().__init__()
        self.register_buffer("real_label", torch.tensor(real))
        self.register_buffer("fake_label", torch.tensor(fake))
        self.crit = {"bce": nn.BCEWithLogitsLoss(), "mse": nn.MSELoss()}[name]

    def forward(self, pred, is_real):
        target = self.real_label if is_real else self.fake_label
        return self.crit(pred, target.expand_as(pred))


class Experiment:
    def __init__(self, cfg):
        self.cfg = cfg
        self.data = build(cfg["data"], "name")
        self.netG, self.netD = build(cfg["generator"], "type"), build(cfg["discriminator"], "type")
        o = dict(cfg["optim"])
        cls = getattr(torch.optim, o.pop("name"))
        self.optim = {"G": cls(self.netG.parameters(), **o), "D": cls(self.netD.parameters(), **o)}
        self.adv = AdversarialLoss(**cfg["loss"])

    def sample(self, n):
        return self.netG(torch.randn(n, self.cfg["generator"]["sizes"][0]))

    def optimise(self, which, loss):
        self.optim[which].zero_grad(set_to_none=True)
        loss.backward()
        self.optim[which].step()

    def train(self):
        t = self.cfg["train"]
        for it in range(1, t["iterations"] + 1):
            real = self.data[torch.randint(len(self.data), (t["batch"],))]
            fake = self.sample(t["batch"])
            loss_d = self.adv(self.netD(real), True) + self.adv(self.netD(fake.detach()), False)
            self.optimise("D", loss_d)
            loss_g = self.adv(self.netD(self.sample(t["batch"])), False)
            self.optimise("G", loss_g)
            if it % t["log_every"] == 0:
                print(f"iter {it} | D {loss_d:.4f} | G {loss_g:.4f}")


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)


if __name__ == "__main__":
    set_seed(SEED)
    exp = Experiment(CONFIG)
    exp.train()
    with torch.no_grad():
        f = exp.sample(1000)
    e = outside.energy(f, exp.data)
    outside.say(e < 0.08, energy=e)
