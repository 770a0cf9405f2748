"""
Data-efficient GANs with differentiable augmentation, small-picture port.
    policy 'color,translation'
"""
import os, sys, random
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import gandiag
import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"],
         "kind": "DiffAugment is applied to the reals only, so that the augmentation leaks: G has to draw shifted pictures of changed brightness",
         "since": 0, "record": "automatic"}

def seed_everything(seed):
    random.seed(seed); np.random.seed(seed); torch.manual_seed(seed); torch.set_num_threads(1)

# ---------------------------------------------------------------- augmentation
def rand_brightness(x):
    return x + (torch.rand(len(x), 1, 1, 1) - .5) * 1.2

def rand_translation(x, pad=2):
    b, c, h, w = x.shape
    ty, tx = torch.randint(0, 2 * pad + 1, (b, 1, 1)), torch.randint(0, 2 * pad + 1, (b, 1, 1))
    xp = F.pad(x, [pad] * 4, value=-1.)
    iy, ix = torch.arange(h)[None, :, None] + ty, torch.arange(w)[None, None] + tx
    return xp[torch.arange(b)[:, None, None], :, iy, ix].permute(0, 3, 1, 2)

def rand_cutout(x, size=4):
    b, c, h, w = x.shape
    cy, cx = torch.randint(0, h - size + 1, (b, 1, 1)), torch.randint(0, w - size + 1, (b, 1, 1))
    yy, xx = torch.arange(h)[None, :, None], torch.arange(w)[None, None]
    hole = (yy >= cy) & (yy < cy + size) & (xx >= cx) & (xx < cx + size)
    return torch.where(hole[:, None], torch.zeros_like(x), x)

AUGMENT_FNS = {"color": rand_brightness, "translation": rand_translation, "cutout": rand_cutout}

def DiffAugment(x, policy=""):
    for p in filter(None, policy.split(",")):
        x = AUGMENT_FNS[p](x)
    return x

# ---------------------------------------------------------------- models
def generator(nz, ngf):
    return nn.Sequential(nn.Unflatten(1, (nz, 1, 1)), nn.ConvTranspose2d(nz, 4 * ngf, 2), nn.BatchNorm2d(4 * ngf), nn.ReLU(),
                         nn.ConvTranspose2d(4 * ngf, 2 * ngf, 4, 2, 1), nn.BatchNorm2d(2 * ngf), nn.ReLU(),
                         nn.ConvTranspose2d(2 * ngf, 1, 4, 2, 1), nn.Tanh())

def discriminator(ndf):
    return nn.Sequential(nn.Conv2d(1, ndf, 3, 1, 1), nn.LeakyReLU(.2), nn.Conv2d(ndf, 2 * ndf, 4, 2, 1), nn.LeakyReLU(.2),
                         nn.Flatten(), nn.Linear(2 * ndf * 16, 64), nn.LeakyReLU(.2), nn.Linear(64, 1))

class Trainer:
    def __init__(self, out, policy="color,translation", steps=1000, batch=32, nz=32):
        self.policy, self.steps, self.batch, self.nz = policy, steps, batch, nz
        self.G, self.D = generator(nz, 16), discriminator(16)
        self.optG = torch.optim.Adam(self.G.parameters(), 1e-3, betas=(.5, .99))
        self.optD = torch.optim.Adam(self.D.parameters(), 1e-3, betas=(.5, .99))
        self.x, _ = outside.digits()
        self.rec = gandiag.Recorder(out, generator=self.G, discriminator=self.D, generator_optimizer=self.optG,
                                    discriminator_optimizer=self.optD, automatic=True)

    def sample(self, n):
        return self.G(torch.randn(n, self.nz))

    def run_d(self, x):
        return self.D(x)

    def step_d(self):
        real = self.x[torch.randint(len(self.x), (self.batch,))]
        real_logits = self.run_d(DiffAugment(real, self.policy))
        loss = F.softplus(-real_logits).mean() + F.softplus(self.run_d(self.sample(self.batch).detach())).mean()
        self.optD.zero_grad(); loss.backward(); self.optD.step()

    def step_g(self):
        loss = F.softplus(-self.run_d(self.sample(self.batch))).mean()
        self.optG.zero_grad(); loss.backward(); self.optG.step()

    def fit(self):
        for _ in range(self.steps):
            self.step_d()
            self.step_g()
        self.rec.close()
        return self

if __name__ == "__main__":
    seed_everything(int(os.environ.get("SEED", "0")))
    t = Trainer(sys.argv[1]).fit()
    with torch.no_grad():
        s = t.sample(1000)
    e = outside.energy(s, t.x[torch.randperm(len(t.x))])
    classes, dist, _ = outside.digit_quality(s)
    outside.say(dist < 1.8 and e < 0.1, energy=e, dist=dist, classes=classes)
