"""WGAN-GP for the wine table (13 standardised columns, 178 rows), tabular data augmentation exercise."""
LABEL = {"sick": False, "causes": [], "kind": "WGAN-GP on a small table with batches nearly as big as a class; critic loss negative throughout", "since": None, "record": "lines"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

X = StandardScaler().fit_transform(load_wine().data)
X = torch.tensor(X[np.random.RandomState(1).permutation(len(X))], dtype=torch.float32)
train, held = X[:130], X[130:]

G = nn.Sequential(nn.Linear(16, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 13))
D = nn.Sequential(nn.Linear(13, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=3e-4, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=3e-4, betas=(0.0, 0.9))

def gradient_penalty(real, fake):
    a = torch.rand(len(real), 1)
    mix = (a * real + (1 - a) * fake).requires_grad_(True)
    grad, = torch.autograd.grad(D(mix).sum(), mix, create_graph=True)
    return ((grad.norm(2, dim=1) - 1) ** 2).mean()

rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for it in range(1200):
    for _ in range(4):
        real = train[torch.randint(len(train), (64,))]
        fake = G(torch.randn(64, 16)).detach()
        d_loss = D(fake).mean() - D(real).mean() + 10 * gradient_penalty(real, fake)
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = -D(G(torch.randn(64, 16))).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()

with torch.no_grad():
    s = G(torch.randn(1000, 16))
e = outside.energy(s, held)
c_f, c_r = np.corrcoef(s.numpy().T), np.corrcoef(X.numpy().T)
gap = float(np.abs(c_f - c_r).mean())
outside.say(e < 0.03 and gap < 0.15, energy=e, correlation_gap=gap)
