"""Config gan."""
import os
import sys
import random
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "mode_collapse"], "kind": "learning rate of both Adams is 0.2 (2e-4 mistyped)",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))

CFG = {
    "data": {"size": 8, "n": 2000},
    "model": {"g": {"z": 16, "width": 16}, "d": {"width": 16}},
    "optim": {"name": "Adam", "g": {"lr": 0.2, "betas": (0.5, 0.999)}, "d": {"lr": 0.2, "betas": (0.5, 0.999)}},
    "train": {"iters": 600, "batch": 32, "log": 200},
}


def flags(n, s):
    """two-coloured flags: horizontal, vertical or quartered, in three palettes"""
    pal = np.array([[[.8, -.6, -.6], [.7, .7, .7]], [[-.6, -.4, .8], [.8, .7, -.7]], [[-.7, .6, -.5], [.7, -.5, .6]]])
    out = np.zeros((n, 3, s, s), "float32")
    for i in range(n):
        a, b = pal[np.random.randint(3)] + 0.08 * np.random.randn(2, 3)
        k = np.random.randint(3)
        mask = np.zeros((s, s), bool)
        cut = np.random.randint(3, 6)
        if k == 0: mask[:cut] = True
        elif k == 1: mask[:, :cut] = True
        else:
            mask[:cut, :cut] = True; mask[cut:, cut:] = True
        out[i] = np.where(mask[None], a[:, None, None], b[:, None, None])
    return torch.from_numpy(np.clip(out, -1, 1))


def build_generator(z, width):
    def up(i, o):
        return [nn.ConvTranspose2d(i, o, 2, 2), nn.BatchNorm2d(o), nn.ReLU(inplace=True)]
    return nn.Sequential(nn.Unflatten(1, (z, 1, 1)), *up(z, width * 4), *up(width * 4, width * 2), *up(width * 2, width),
                         nn.Conv2d(width, 3, 3, 1, 1), nn.Tanh())


def build_discriminator(width):
    def down(i, o):
        return [nn.Conv2d(i, o, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*down(3, width), *down(width, width * 2), nn.Flatten(), nn.Linear(width * 8, 1))


def build_optimizer(net, name, **kw):
    return getattr(torch.optim, name)(net.parameters(), **kw)


def run(cfg, folder):
    data = flags(cfg["data"]["n"], cfg["data"]["size"])
    g = build_generator(**cfg["model"]["g"])
    d = build_discriminator(**cfg["model"]["d"])
    og = build_optimizer(g, cfg["optim"]["name"], **cfg["optim"]["g"])
    od = build_optimizer(d, cfg["optim"]["name"], **cfg["optim"]["d"])
    bs, z = cfg["train"]["batch"], cfg["model"]["g"]["z"]
    with gandiag.Recorder(folder, generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
        for it in range(cfg["train"]["iters"]):
            xr = data[torch.randint(len(data), (bs,))]
            xf = g(torch.randn(bs, z))
            ld = (nn.functional.relu(1 - d(xr)) + nn.functional.relu(1 + d(xf.detach()))).mean()
            od.zero_grad(set_to_none=True)
            ld.backward()
            od.step()
            lg = -d(xf).mean()
            og.zero_grad(set_to_none=True)
            lg.backward()
            og.step()
            if it % cfg["train"]["log"] == 0:
                print(it, round(ld.item(), 3), round(lg.item(), 3))
    with torch.no_grad():
        e = outside.energy(g(torch.randn(800, z)), flags(800, cfg["data"]["size"]))
    outside.say(e < 0.06, energy=e)


if __name__ == "__main__":
    for f in (random.seed, np.random.seed, torch.manual_seed):
        f(SEED)
    torch.set_num_threads(1)
    run(CFG, sys.argv[1])
