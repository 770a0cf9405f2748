"""Twelve-dimensional mixture by a hinge GAN; both rates are warmed up over the first steps."""
LABEL = {"sick": True, "causes": ["learning_rate"], "kind": "the linear warm-up is never capped, the rates grow on to the end", "since": 30, "record": "lines"}
import os, sys
import torch
import gandiag, outside
from torch import nn, optim

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
DIM, K = 12, 6
fixed = torch.Generator().manual_seed(3)
centres = torch.randn(K, DIM, generator=fixed)
factors = 0.25 * torch.randn(K, DIM, 3, generator=fixed)

def data_stream(batch):
    while True:
        k = torch.randint(K, (batch,))
        yield centres[k] + (factors[k] @ torch.randn(batch, 3, 1)).squeeze(-1) + 0.05 * torch.randn(batch, DIM)

def build(i, o, w=96, depth=3):
    mods, last = [], i
    for _ in range(depth):
        mods += [nn.Linear(last, w), nn.LeakyReLU(0.1)]
        last = w
    return nn.Sequential(*mods, nn.Linear(last, o))

G, D = build(DIM, DIM), build(DIM, 1)
opts = {"g": optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.9)), "d": optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))}
WARM = 30
schedules = [optim.lr_scheduler.LambdaLR(o, lambda s: (s + 1) / WARM) for o in opts.values()]

stream = data_stream(80)
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opts["g"], discriminator_optimizer=opts["d"]) as recorder:
    for step in range(1200):
        real = next(stream).requires_grad_()
        fake = G(torch.randn(80, DIM))
        a, b = D(real), D(fake.detach())
        d_loss = torch.relu(1 - a).mean() + torch.relu(1 + b).mean()
        slope, = torch.autograd.grad(a.sum(), real, create_graph=True)
        penalty = 0.1 * (slope ** 2).sum(1).mean()
        opts["d"].zero_grad()
        (d_loss + penalty).backward()
        opts["d"].step()
        g_loss = -D(fake).mean()
        opts["g"].zero_grad()
        g_loss.backward()
        opts["g"].step()
        for s in schedules:
            s.step()
        recorder.step(d_loss=d_loss, g_loss=g_loss, real=real, fake=fake, d_penalty=penalty)

with torch.no_grad():
    x = G(torch.randn(1000, DIM))
e = outside.energy(x, next(data_stream(1000)))
outside.say(e < 0.06, energy=e)
