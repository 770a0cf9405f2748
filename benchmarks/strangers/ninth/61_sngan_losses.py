"""SNGAN (Miyato et al.) on the 8x8 digits -- port of the chainer release, losses moved to a registry."""
import os, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils import spectral_norm
import outside

LABEL = {"sick": True, "causes": ["objective_fault"],
         "kind": "hinge loss of G has the wrong sign (+D(fake) is minimised): G helps D instead of fooling it",
         "since": 0, "record": "attach"}
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

LOSSES = {}

def register(name):
    def wrap(cls):
        LOSSES[name] = cls()
        return cls
    return wrap

@register("hinge")
class Hinge:
    def dis(self, real, fake):
        return F.relu(1. - real).mean() + F.relu(1. + fake).mean()
    def gen(self, fake):
        return fake.mean()

@register("dcgan")
class Dcgan:
    def dis(self, real, fake):
        return F.softplus(-real).mean() + F.softplus(fake).mean()
    def gen(self, fake):
        return F.softplus(-fake).mean()


class GBlock(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.b1, self.b2 = nn.BatchNorm2d(cin), nn.BatchNorm2d(cout)
        self.c1 = nn.Conv2d(cin, cout, 3, padding=1)
        self.c2 = nn.Conv2d(cout, cout, 3, padding=1)
        self.sc = nn.Conv2d(cin, cout, 1)
    def forward(self, x):
        h = F.interpolate(F.relu(self.b1(x)), scale_factor=2)
        h = self.c2(F.relu(self.b2(self.c1(h))))
        return h + self.sc(F.interpolate(x, scale_factor=2))

class ResNetGenerator(nn.Module):
    def __init__(self, dim_z=32, ch=16):
        super().__init__()
        self.dim_z = dim_z
        self.l1 = nn.Linear(dim_z, ch * 2 * 2 * 2)
        self.b1, self.b2 = GBlock(2 * ch, ch), GBlock(ch, ch)
        self.bn, self.out = nn.BatchNorm2d(ch), nn.Conv2d(ch, 1, 3, padding=1)
    def forward(self, z):
        h = self.l1(z).view(len(z), -1, 2, 2)
        h = self.b2(self.b1(h))
        return torch.tanh(self.out(F.relu(self.bn(h))))

class SNDiscriminator(nn.Module):
    def __init__(self, ch=16):
        super().__init__()
        sn = spectral_norm
        self.body = nn.Sequential(
            sn(nn.Conv2d(1, ch, 3, padding=1)), nn.LeakyReLU(.1),
            sn(nn.Conv2d(ch, 2 * ch, 4, 2, 1)), nn.LeakyReLU(.1),
            sn(nn.Conv2d(2 * ch, 4 * ch, 4, 2, 1)), nn.LeakyReLU(.1))
        self.l = sn(nn.Linear(4 * ch * 4, 1))
    def forward(self, x):
        return self.l(self.body(x).flatten(1))


def main(iters=600, bs=32, loss="hinge"):
    x, _ = outside.digits()
    gen, dis = ResNetGenerator(), SNDiscriminator()
    opt_g = torch.optim.Adam(gen.parameters(), 5e-4, betas=(0., .9))
    opt_d = torch.optim.Adam(dis.parameters(), 1e-3, betas=(0., .9))
    crit = LOSSES[loss]
    for it in range(iters):
        xr = x[torch.randint(len(x), (bs,))]
        with torch.no_grad():
            xf = gen(torch.randn(bs, gen.dim_z))
        l_d = crit.dis(dis(xr), dis(xf))
        opt_d.zero_grad(); l_d.backward(); opt_d.step()

        l_g = crit.gen(dis(gen(torch.randn(bs, gen.dim_z))))
        opt_g.zero_grad(); l_g.backward(); opt_g.step()
        if it % 200 == 0:
            print(f"{it:5d} dis {l_d.item():.3f} gen {l_g.item():.3f}")
    with torch.no_grad():
        s = gen(torch.randn(1000, gen.dim_z))
    classes, dist, _ = outside.digit_quality(s)
    e = outside.energy(s, x[torch.randperm(len(x))])
    outside.say(e < 0.12 and classes >= 8, energy=e, classes=classes, dist=dist)

if __name__ == "__main__":
    main()
