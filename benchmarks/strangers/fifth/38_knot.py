"""A trefoil knot seen by six gauges, with a progress figure over always the same samples."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_overfitting", "memorisation"], "kind": "the progress figure seeds the global generator in every step: the same batch and the same latents come for ever", "since": 1, "record": "attach"}
import math, os
import torch
from torch import nn

class Opt:
    nz = 8
    batch = 24
    iters = 3000
    lr = 6e-4

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
opt = Opt()
GAUGES = torch.linalg.qr(torch.randn(6, 6))[0][:3]

def knot(t):
    return torch.stack([t.sin() + 2 * (2 * t).sin(), t.cos() - 2 * (2 * t).cos(), -(3 * t).sin()], -1) / 1.5

def measure(n):
    return knot(2 * math.pi * torch.rand(n)) @ GAUGES + 0.05 * torch.randn(n, 6)

dataset = measure(5000)
netG = nn.Sequential(nn.Linear(opt.nz, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 6))
netD = nn.Sequential(nn.Linear(6, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
optG = torch.optim.Adam(netG.parameters(), opt.lr, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), opt.lr, betas=(0.5, 0.999))
loss = nn.BCEWithLogitsLoss()
one, zero = torch.ones(opt.batch, 1), torch.zeros(opt.batch, 1)
progress = []

def look(n=16):
    """how far the sixteen samples of the preview moved since the last look"""
    torch.manual_seed(1234)                 # the same samples every time
    with torch.no_grad():
        progress.append(netG(torch.randn(n, opt.nz)))
    moved = float((progress[-1] - progress[0]).norm(dim=1).mean())
    del progress[:-2]
    return moved

for it in range(opt.iters):
    x = dataset[torch.randint(0, len(dataset), (opt.batch,))]
    fake = netG(torch.randn(opt.batch, opt.nz))
    optD.zero_grad()
    errD = loss(netD(x), one) + loss(netD(fake.detach()), zero)
    errD.backward()
    optD.step()
    optG.zero_grad()
    errG = loss(netD(fake), one)
    errG.backward()
    optG.step()
    moved = look()

import outside
torch.manual_seed(99)
with torch.no_grad():
    s = netG(torch.randn(1000, opt.nz))
line = knot(torch.linspace(0, 2 * math.pi, 400)) @ GAUGES
near = torch.cdist(s, line)
on_line, covered = float((near.min(1).values < 0.4).float().mean()), float((near.min(0).values < 0.3).float().mean())
e = outside.energy(s, measure(1000))
outside.say(e < 0.03 and on_line > 0.6 and covered > 0.7, energy=e, on_line=on_line, covered=covered)
