"""WGAN (weight clipping) on the S-curve. Usage: python 10_scurve_wgan_clip.py"""
import argparse
import os
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_s_curve

import outside

LABEL = {"sick": True, "causes": ["objective_fault", "divergence"], "kind": "the weights that are clipped are G's, the critic stays unbounded (copy and paste)", "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--batchSize", type=int, default=64)
    p.add_argument("--nz", type=int, default=6)
    p.add_argument("--nh", type=int, default=64)
    p.add_argument("--lrD", type=float, default=1e-3)
    p.add_argument("--lrG", type=float, default=1e-3)
    p.add_argument("--clamp_lower", type=float, default=-0.1)
    p.add_argument("--clamp_upper", type=float, default=0.1)
    p.add_argument("--Diters", type=int, default=4)
    p.add_argument("--niter", type=int, default=1000)
    return p.parse_args()


def build(i, h, o):
    net = nn.Sequential()
    net.add_module("initial", nn.Linear(i, h))
    net.add_module("relu0", nn.ReLU(True))
    for t in range(2):
        net.add_module(f"block{t}", nn.Linear(h, h))
        net.add_module(f"relu{t + 1}", nn.ReLU(True))
    net.add_module("final", nn.Linear(h, o))
    return net


def main(opt):
    random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
    torch.set_num_threads(1)
    cloud, _ = make_s_curve(6000, noise=0.05, random_state=1)
    cloud = torch.tensor(cloud, dtype=torch.float32)
    netG, netD = build(opt.nz, opt.nh, 3), build(3, opt.nh, 1)
    optimizerD = torch.optim.RMSprop(netD.parameters(), lr=opt.lrD)
    optimizerG = torch.optim.RMSprop(netG.parameters(), lr=opt.lrG)

    for it in range(opt.niter):
        for _ in range(opt.Diters):
            for p in netG.parameters():
                p.data.clamp_(opt.clamp_lower, opt.clamp_upper)
            real = cloud[torch.randint(0, len(cloud), (opt.batchSize,))]
            with torch.no_grad():
                fake = netG(torch.randn(opt.batchSize, opt.nz))
            netD.zero_grad()
            errD = netD(fake).mean() - netD(real).mean()
            errD.backward()
            optimizerD.step()
        netG.zero_grad()
        errG = -netD(netG(torch.randn(opt.batchSize, opt.nz))).mean()
        errG.backward()
        optimizerG.step()

    with torch.no_grad():
        s = netG(torch.randn(1000, opt.nz))
    e = outside.energy(s, cloud[:1000])
    outside.say(e < 0.1, energy=e)


if __name__ == "__main__":
    main(parse())
