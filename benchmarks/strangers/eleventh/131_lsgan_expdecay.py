"""LSGAN on a swiss-roll slice with exponential learning rate decay and label noise, 40 epochs."""
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"], "kind": "the per-epoch scheduler is stepped every iteration, so the rate dies within a few epochs", "since": 0, "record": "automatic"}
import os, sys, random
import numpy as np, torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import make_swiss_roll
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

pts = make_swiss_roll(6000, noise=.25)[0][:, [0, 2]] / 7.
dl = DataLoader(TensorDataset(torch.tensor(pts, dtype=torch.float32)), batch_size=100, shuffle=True, drop_last=True)
block = lambda i, o: [nn.Linear(i, o), nn.LeakyReLU(.2)]
G = nn.Sequential(*block(6, 128), *block(128, 128), *block(128, 128), nn.Linear(128, 2))
D = nn.Sequential(*block(2, 128), *block(128, 128), *block(128, 128), nn.Linear(128, 1))
g_opt, d_opt = optim.Adam(G.parameters(), lr=6e-4, betas=(.5, .999)), optim.Adam(D.parameters(), lr=6e-4, betas=(.5, .999))
g_sch, d_sch = optim.lr_scheduler.ExponentialLR(g_opt, .96), optim.lr_scheduler.ExponentialLR(d_opt, .96)
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
for epoch in range(40):
    for (x,) in dl:
        f = G(torch.randn(len(x), 6))
        d_loss = .5 * ((D(x) - .9 - .1 * torch.rand(len(x), 1)) ** 2).mean() + .5 * (D(f.detach()) ** 2).mean()
        d_opt.zero_grad()
        d_loss.backward()
        d_opt.step()
        g_loss = .5 * ((D(f) - .95) ** 2).mean()
        g_opt.zero_grad()
        g_loss.backward()
        g_opt.step()
        g_sch.step()
        d_sch.step()
with torch.no_grad():
    s = G(torch.randn(1000, 6))
e = outside.energy(s, pts[:1000])
near = float((torch.cdist(s, torch.tensor(pts, dtype=torch.float32)).min(1).values < .08).float().mean())
outside.say(e < .03 and near > .75, energy=e, on_roll=near)
