"""Bars lsgan sched."""
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"],
         "kind": "StepLR meant per epoch (step 5, gamma 0.5) is stepped per batch: rates are nothing within the first epoch", "since": 40, "record": "lines"}
import os, sys, random, numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
from torch.optim.lr_scheduler import StepLR
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

CFG = dict(size=8, nz=12, ngf=24, ndf=24, bs=32, lr=1e-3, epochs=20, n=1600, lr_step=5, lr_gamma=0.5)


def bars(n, size):
    """One bright horizontal or vertical bar on a noisy dark ground."""
    x = -0.8 + 0.1 * torch.randn(n, 1, size, size)
    for i in range(n):
        p = random.randrange(1, size - 2)
        if random.random() < 0.5:
            x[i, :, p:p + 2, :] += 1.5
        else:
            x[i, :, :, p:p + 2] += 1.5
    return x.clamp(-1, 1)


class G_(nn.Module):
    def __init__(s, c):
        super().__init__()
        s.a = nn.Linear(c["nz"], 16 * c["ngf"])
        s.b = nn.Conv2d(c["ngf"], c["ngf"], 3, 1, 1)
        s.n1, s.n2 = nn.BatchNorm2d(c["ngf"]), nn.BatchNorm2d(c["ngf"])
        s.c = nn.Conv2d(c["ngf"], 1, 3, 1, 1)
        s.ch = c["ngf"]

    def forward(s, z):
        h = F.relu(s.n1(s.a(z).view(-1, s.ch, 4, 4)))
        h = F.relu(s.n2(s.b(F.interpolate(h, scale_factor=2))))
        return torch.tanh(s.c(h))


class D_(nn.Module):
    def __init__(s, c):
        super().__init__()
        s.f = nn.Sequential(nn.Conv2d(1, c["ndf"], 3, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(c["ndf"], 2 * c["ndf"], 3, 2, 1), nn.LeakyReLU(.2))
        s.o = nn.Linear(8 * c["ndf"], 1)

    def forward(s, x):
        return s.o(s.f(x).flatten(1))


def main(c, out):
    x = bars(c["n"], c["size"])
    g, d = G_(c), D_(c)
    og = torch.optim.Adam(g.parameters(), c["lr"], (0.5, 0.999))
    od = torch.optim.Adam(d.parameters(), c["lr"], (0.5, 0.999))
    sg, sd = StepLR(og, c["lr_step"], c["lr_gamma"]), StepLR(od, c["lr_step"], c["lr_gamma"])
    rec = gandiag.Recorder(out, generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od)
    for ep in range(c["epochs"]):
        for b in torch.randperm(len(x)).split(c["bs"]):
            real = x[b]
            fake = g(torch.randn(len(b), c["nz"]))
            pr, pf = d(real), d(fake.detach())
            ld = 0.5 * ((pr - 1) ** 2).mean() + 0.5 * (pf ** 2).mean()
            od.zero_grad(); ld.backward(); od.step()
            lg = 0.5 * ((d(fake) - 1) ** 2).mean()
            og.zero_grad(); lg.backward(); og.step()
            rec.step(d_loss=ld, g_loss=lg, real=real, fake=fake, real_logits=pr, fake_logits=pf)
            sg.step(); sd.step()
        if ep % 5 == 0:
            print(f"epoch {ep} d {ld:.3f} g {lg:.3f}")
    rec.close()
    with torch.no_grad():
        f = g(torch.randn(800, c["nz"]))
    e = outside.energy(f, bars(800, c["size"]))
    outside.say(e < 0.1, energy=e)


main(CFG, sys.argv[1])
