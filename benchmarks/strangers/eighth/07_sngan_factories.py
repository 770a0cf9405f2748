"""SN-GAN on sprites with a config and factories.  usage: train.py RUN_DIR"""
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm as SN
import gandiag
import outside

LABEL = {"sick": True, "causes": ["stagnation", "learning_rate"],
         "kind": "ExponentialLR (gamma 0.95, meant per epoch) is stepped after every batch: the rates are practically zero after 150 steps",
         "since": None, "record": "lines"}

CONFIG = {
    "seed": int(os.environ.get("SEED", "0")),
    "data": {"name": "sprites", "size": 12, "n": 1600, "batch_size": 40},
    "generator": {"name": "conv", "nz": 10, "width": 20},
    "discriminator": {"name": "sn_conv", "width": 16},
    "optim": {"name": "adam", "g": 1e-3, "d": 1e-3, "betas": (0.0, 0.9)},
    "sched": {"name": "exp", "gamma": 0.95},
    "epochs": 26,
}


def seed_all(s):
    random.seed(s); np.random.seed(s); torch.manual_seed(s); torch.set_num_threads(1)


def sprites(n, size):
    """3-channel crosses and bars of two colours"""
    x = -np.ones((n, 3, size, size), "float32")
    for i in range(n):
        r, c = np.random.randint(3, size - 3, 2)
        colour = ([0.9, 0.1, -0.8], [-0.8, 0.2, 0.9])[np.random.randint(2)]
        for ch in range(3):
            x[i, ch, r - 1:r + 2, 1:-1] = colour[ch]
            if i % 2:
                x[i, ch, 1:-1, c - 1:c + 2] = colour[ch]
    return torch.from_numpy(x)


class ConvG(nn.Module):
    def __init__(self, nz, width):
        super().__init__()
        self.nz = nz
        self.fc = nn.Linear(nz, width * 2 * 9)
        self.up1 = nn.ConvTranspose2d(width * 2, width, 4, 2, 1)
        self.up2 = nn.ConvTranspose2d(width, 3, 4, 2, 1)
        self.n0, self.n1 = nn.BatchNorm2d(width * 2), nn.BatchNorm2d(width)

    def forward(self, z):
        h = F.relu(self.n0(self.fc(z).unflatten(1, (-1, 3, 3))))
        return self.up2(F.relu(self.n1(self.up1(h)))).tanh()


class SNConvD(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.c1 = SN(nn.Conv2d(3, width, 4, 2, 1))
        self.c2 = SN(nn.Conv2d(width, width * 2, 4, 2, 1))
        self.fc = SN(nn.Linear(width * 2 * 9, 1))

    def forward(self, x):
        h = F.leaky_relu(self.c2(F.leaky_relu(self.c1(x), 0.1)), 0.1)
        return self.fc(h.flatten(1))


MODELS = {"conv": ConvG, "sn_conv": SNConvD}


def build(section):
    kw = {k: v for k, v in section.items() if k != "name"}
    return MODELS[section["name"]](**kw)


def build_sched(opt, s):
    if s["name"] == "exp":
        return torch.optim.lr_scheduler.ExponentialLR(opt, gamma=s["gamma"])
    raise KeyError(s["name"])


def main(run_dir, cfg=CONFIG):
    seed_all(cfg["seed"])
    data = sprites(cfg["data"]["n"], cfg["data"]["size"])
    G, D = build(cfg["generator"]), build(cfg["discriminator"])
    og = torch.optim.Adam(G.parameters(), cfg["optim"]["g"], cfg["optim"]["betas"])
    od = torch.optim.Adam(D.parameters(), cfg["optim"]["d"], cfg["optim"]["betas"])
    scheds = [build_sched(o, cfg["sched"]) for o in (og, od)]
    rec = gandiag.Recorder(run_dir, generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
    bs = cfg["data"]["batch_size"]
    for epoch in range(cfg["epochs"]):
        for real in data[torch.randperm(len(data))].split(bs):
            fake = G(torch.randn(bs, G.nz))
            d_real, d_fake = D(real), D(fake.detach())
            loss_d = F.relu(1 - d_real).mean() + F.relu(1 + d_fake).mean()
            od.zero_grad()
            loss_d.backward()
            od.step()
            loss_g = -D(fake).mean()
            og.zero_grad()
            loss_g.backward()
            og.step()
            rec.step(d_loss=loss_d, g_loss=loss_g, real=real, fake=fake, real_logits=d_real, fake_logits=d_fake)
            [s.step() for s in scheds]
        if epoch % 10 == 0:
            print(f"epoch {epoch}: D {loss_d.item():.3f} G {loss_g.item():.3f}")
    rec.close()
    with torch.no_grad():
        x = G(torch.randn(1000, G.nz))
    e = outside.energy(x, data[torch.randperm(len(data))[:1000]])
    outside.say(e < 0.1, energy=e)


if __name__ == "__main__":
    main(sys.argv[1])
