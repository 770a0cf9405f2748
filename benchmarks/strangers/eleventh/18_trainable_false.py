"""Conditional two-moons GAN ported from Keras (trainable=False while the generator trains), class chosen by a one-hot."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault", "stagnation"], "kind": "requires_grad is set to False for the generator step and never set back, D is frozen after its first update", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_moons
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def set_trainable(net, flag):
    for p in net.parameters():
        p.requires_grad = flag

X, Y = make_moons(4000, noise=0.07, random_state=SEED)
X = torch.tensor(X, dtype=torch.float32); Y = torch.eye(2)[torch.tensor(Y)]

gen = nn.Sequential(nn.Linear(6 + 2, 80), nn.ReLU(), nn.Linear(80, 80), nn.ReLU(), nn.Linear(80, 2))
disc = nn.Sequential(nn.Linear(2 + 2, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1), nn.Sigmoid())
g_optim = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_optim = torch.optim.Adam(disc.parameters(), lr=1e-3, betas=(0.5, 0.999))
bce = nn.BCELoss()
N = 160
valid, fake_lbl = torch.ones(N, 1), torch.zeros(N, 1)

for step in range(3500):
    sel = torch.randint(0, len(X), (N,))
    xb, yb = X[sel], Y[sel]
    # train D
    fb = gen(torch.cat([torch.randn(N, 6), yb], 1))
    d_optim.zero_grad()
    loss_d = 0.5 * (bce(disc(torch.cat([xb, yb], 1)), valid) + bce(disc(torch.cat([fb, yb], 1)), fake_lbl))
    loss_d.backward()
    d_optim.step()
    # train G through the frozen D
    set_trainable(disc, False)
    g_optim.zero_grad()
    fb = gen(torch.cat([torch.randn(N, 6), yb], 1))
    loss_g = bce(disc(torch.cat([fb, yb], 1)), valid)
    loss_g.backward()
    g_optim.step()
    if step % 1000 == 0:
        print(step, float(loss_d), float(loss_g))

sel = torch.randperm(len(X))[:1000]
with torch.no_grad():
    s = gen(torch.cat([torch.randn(1000, 6), Y[sel]], 1))
cls = Y[sel][:, 0] > 0
e = outside.energy(s[cls], X[sel][cls]); e2 = outside.energy(s[~cls], X[sel][~cls])
outside.say(max(e, e2) < 0.03, upper=e, lower=e2)
