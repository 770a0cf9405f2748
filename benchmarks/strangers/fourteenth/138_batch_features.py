"""Minibatch discrimination (Salimans et al. 2016) with noise on D's input that fades away; a figure eight in twenty dimensions."""
LABEL = {"sick": False, "causes": [], "kind": "at first D sees inputs drowned in noise and cannot tell them apart, later it wins often; its outputs depend on the whole batch; the curve is learnt", "since": None, "record": "lines"}
import os
import sys
import random
import numpy as np
import torch
from torch import nn
import outside
from gandiag.recording import Recorder

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

DIM = 20
Q = torch.linalg.qr(torch.randn(DIM, 2))[0].T


def eight(n):
    t = 2 * np.pi * torch.rand(n)
    p = torch.stack([2 * t.sin(), 1.5 * (2 * t).sin()], 1)
    return p @ Q + 0.03 * torch.randn(n, DIM)


class MinibatchFeatures(nn.Module):
    def __init__(self, n_in, kernels=12, dim=4):
        super().__init__()
        self.T = nn.Parameter(0.05 * torch.randn(n_in, kernels, dim))

    def forward(self, h):
        m = torch.einsum("bi,ikd->bkd", h, self.T)
        l1 = (m[:, None] - m[None]).abs().sum(3)             # b x b x kernels
        return torch.cat([h, (torch.exp(-l1).sum(1) - 1) / (len(h) - 1)], 1)


class D_(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(nn.Linear(DIM, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2))
        self.mb = MinibatchFeatures(96)
        self.b = nn.Sequential(nn.Linear(96 + 12, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1), nn.Sigmoid())

    def forward(self, x, sd):
        return self.b(self.mb(self.a(x + sd * torch.randn_like(x)))).squeeze(1)


G = nn.Sequential(nn.Linear(8, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, DIM))
D = D_()
opt_g = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.999))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, discriminator_output="probability")
bce = nn.BCELoss()
STEPS, B = 2500, 80

for s in range(STEPS):
    sd = 0.1 + 0.9 * max(0.0, 1 - s / (0.8 * STEPS))
    x, y = eight(B), G(torch.randn(B, 8))
    pr, pf = D(x, sd), D(y.detach(), sd)
    d_loss = bce(pr, torch.ones(B)) + bce(pf, torch.zeros(B))
    opt_d.zero_grad(); d_loss.backward(); opt_d.step()

    g_loss = bce(D(y, sd), torch.ones(B))
    opt_g.zero_grad(); g_loss.backward(); opt_g.step()
    recorder.step(real_logits=pr, fake_logits=pf, d_loss=d_loss, g_loss=g_loss, real=x, fake=y)
    if s % 500 == 0:
        print(f"{s} noise {sd:.2f} d {d_loss.item():.3f} g {g_loss.item():.3f} D(x) {pr.mean().item():.2f} D(y) {pf.mean().item():.2f}")
recorder.close()

with torch.no_grad():
    y = G(torch.randn(2000, 8))
x = eight(1500)
e = outside.energy(y, x)
reached = float((torch.cdist(x @ Q.T, y @ Q.T).min(1).values < 0.2).float().mean())
outlying = (y - y @ Q.T @ Q).norm(dim=1).mean().item()      # distance from the plane of the curve
outside.say(e < 0.03 and reached > 0.9 and outlying < 0.5, energy=e, reached=reached, off_plane=outlying)
