"""LSGAN, mini digits.  python lsgan.py."""
import os, sys, random, itertools
import numpy as np
import torch, torch.nn as nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["discriminator_weakness", "learning_rate", "stagnation", "mode_collapse"],
         "kind": "the discriminator's rate is 1e-6 (to keep it from winning) against 1e-3 for G: it never learns to tell anything",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
for f in (random.seed, np.random.seed, torch.manual_seed):
    f(SEED)
torch.set_num_threads(1)

hp = dict(z=24, ch=10, bs=40, lr_g=1e-3, lr_d=1e-6, iters=1200)


class Gen(nn.Module):
    def __init__(s):
        super().__init__()
        s.l = nn.Linear(hp["z"], 4 * hp["ch"] * 4)
        s.c1 = nn.Conv2d(4 * hp["ch"], 2 * hp["ch"], 3, padding=1)
        s.bn = nn.BatchNorm2d(2 * hp["ch"])
        s.c2 = nn.Conv2d(2 * hp["ch"], hp["ch"], 3, padding=1)
        s.o = nn.Conv2d(hp["ch"], 1, 3, padding=1)
        s.up = nn.Upsample(scale_factor=2)

    def forward(s, z):
        h = torch.relu(s.l(z)).view(-1, 4 * hp["ch"], 2, 2)
        h = torch.relu(s.bn(s.c1(s.up(h))))
        h = torch.relu(s.c2(s.up(h)))
        return torch.tanh(s.o(h))


def make_d():
    c = hp["ch"]
    return nn.Sequential(nn.Conv2d(1, c, 3, 1, 1), nn.LeakyReLU(.2), nn.Conv2d(c, 2 * c, 4, 2, 1), nn.LeakyReLU(.2),
                         nn.Conv2d(2 * c, 2 * c, 4, 2, 1), nn.LeakyReLU(.2), nn.Flatten(), nn.Linear(8 * c, 1))


imgs, _ = outside.digits()
netg, netd = Gen(), make_d()
opt_g = torch.optim.Adam(netg.parameters(), lr=hp["lr_g"], betas=(0.5, 0.999))
opt_d = torch.optim.Adam(netd.parameters(), lr=hp["lr_d"], betas=(0.5, 0.999))


def forever():
    while True:
        for idx in torch.randperm(len(imgs)).split(hp["bs"]):
            if len(idx) == hp["bs"]:
                yield imgs[idx]


mse = nn.MSELoss()
a, b, c = 0.0, 1.0, 1.0
with gandiag.Recorder(sys.argv[1], generator=netg, discriminator=netd, generator_optimizer=opt_g,
                      discriminator_optimizer=opt_d, automatic=True):
    for k, real in enumerate(itertools.islice(forever(), hp["iters"])):
        z = torch.randn(hp["bs"], hp["z"])
        fake = netg(z)
        # G first
        out = netd(fake)
        lg = 0.5 * mse(out, torch.full_like(out, c))
        opt_g.zero_grad(); lg.backward(); opt_g.step()
        # then D
        o_r, o_f = netd(real), netd(fake.detach())
        ld = 0.5 * mse(o_r, torch.full_like(o_r, b)) + 0.5 * mse(o_f, torch.full_like(o_f, a))
        opt_d.zero_grad(); ld.backward(); opt_d.step()
        if k % 500 == 499:
            print(k + 1, "D", round(ld.item(), 4), "G", round(lg.item(), 4))

with torch.no_grad():
    x = netg(torch.randn(1000, hp["z"]))
e = outside.energy(x, imgs)
n, q, _ = outside.digit_quality(x)
outside.say(e < 0.1 and n >= 6, energy=e, classes=n, nearest=q)
