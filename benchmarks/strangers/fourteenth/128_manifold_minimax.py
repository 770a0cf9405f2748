"""Theory check on a closed curve embedded in 24 dimensions: train D close to optimal, then take one G step on the value function V(G, D)."""
LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance"], "kind": "saturating loss log(1 - D) against a D near its optimum on disjoint low-dimensional supports", "since": 0, "record": "lines"}
import os, sys, random, math
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import outside
from gandiag.recording import Recorder

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

AMBIENT, Z, B, ROUNDS, INNER, FIRST = 24, 6, 128, 1200, 4, 1500
frame = torch.linalg.qr(torch.randn(AMBIENT, 4))[0].T * 2.0     # 4 -> 24


def curve(n):
    t = 2 * math.pi * torch.rand(n)
    low = torch.stack([t.cos(), t.sin(), 0.5 * (2 * t).cos(), 0.5 * (2 * t).sin()], 1)
    return low @ frame + 1.5


def V(d_real, d_fake):
    """E log D(x) + E log(1 - D(G(z))), from logits."""
    return F.logsigmoid(d_real).mean() + F.logsigmoid(-d_fake).mean()


gen = nn.Sequential(nn.Linear(Z, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, AMBIENT))
dis = nn.Sequential(nn.Linear(AMBIENT, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
og = torch.optim.SGD(gen.parameters(), lr=0.03, momentum=0.5)
od = torch.optim.Adam(dis.parameters(), lr=1e-3, betas=(0.5, 0.999))
recorder = Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=og, discriminator_optimizer=od)

for r in range(ROUNDS):
    for _ in range(INNER if r else FIRST):          # close to the optimum before G moves at all
        x = curve(B)
        y = gen(torch.randn(B, Z)).detach()
        a, b = dis(x), dis(y)
        loss_d = -V(a, b)
        od.zero_grad()
        loss_d.backward()
        od.step()
    fake_score = dis(gen(torch.randn(B, Z)))
    loss_g = F.logsigmoid(-fake_score).mean()
    og.zero_grad()
    loss_g.backward()
    og.step()
    recorder.step(real_logits=a, fake_logits=b, d_loss=loss_d, g_loss=loss_g, real=x, fake=y)
    if r % 200 == 0:
        print("round %4d   V %.4f   G part %.6f" % (r, -loss_d.item(), loss_g.item()))
recorder.close()

with torch.no_grad():
    y = gen(torch.randn(1500, Z))
x = curve(1000)
e = outside.energy(y, x)
nearest = torch.cdist(y, x).min(1).values.mean().item()
outside.say(e < 0.05 and nearest < 1.0, energy=e, nearest=nearest)
