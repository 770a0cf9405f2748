"""Patch discriminator GAN for 8x8 digits: D scores every location of the picture and the scores are averaged, least squares loss."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault"], "kind": "the patch discriminator has only 1x1 kernels: it judges single pixels and never the shape", "since": 0, "record": "attach"}
import os, random, numpy as np, torch
from torch import nn
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def build_generator(nz=32, ngf=32):
    return nn.Sequential(nn.Linear(nz, ngf * 16), nn.Unflatten(1, (ngf, 4, 4)), nn.BatchNorm2d(ngf), nn.ReLU(),
                         nn.ConvTranspose2d(ngf, ngf, 4, 2, 1), nn.BatchNorm2d(ngf), nn.ReLU(), nn.Conv2d(ngf, ngf, 3, 1, 1), nn.BatchNorm2d(ngf), nn.ReLU(), nn.Conv2d(ngf, 1, 3, 1, 1), nn.Tanh())

def build_patch_d(ndf=48, n_layers=2, kw=1):
    layers, c = [nn.Conv2d(1, ndf, kw, 1, kw // 2), nn.LeakyReLU(.2)], ndf
    for _ in range(n_layers):
        layers += [nn.Conv2d(c, ndf, kw, 1 if kw == 1 else 2, kw // 2), nn.LeakyReLU(.2)]
    return nn.Sequential(*layers, nn.Conv2d(c, 1, kw, 1, kw // 2))

def train(G, D, data, iters=1000, bs=32):
    og = torch.optim.Adam(G.parameters(), lr=6e-4, betas=(.5, .99))
    od = torch.optim.Adam(D.parameters(), lr=6e-4, betas=(.5, .99))
    for it in range(iters):
        real, fake = data[torch.randint(0, len(data), (bs,))], G(torch.randn(bs, 32))
        od.zero_grad()
        (((D(real) - 1) ** 2).mean() + (D(fake.detach()) ** 2).mean()).backward()
        od.step()
        og.zero_grad()
        ((D(fake) - 1) ** 2).mean().backward()
        og.step()

data, _ = outside.digits()
G, D = build_generator(), build_patch_d()
train(G, D, data)
with torch.no_grad(): s = G(torch.randn(1000, 32))
cl, q, _ = outside.digit_quality(s)
e = outside.energy(s, data[torch.randperm(len(data))])
outside.say(cl >= 9 and q < 1.4 and e < .06, classes=cl, distance=q, energy=e)
