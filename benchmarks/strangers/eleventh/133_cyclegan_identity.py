"""CycleGAN on colour statistics: translate (warmth, saturation) pairs of summer photos into winter photos, weights as in our yaml."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation"], "kind": "identity and cycle weights far outweigh the adversarial loss: the translation stays the identity", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
from torch import nn
import outside

cfg = {"lambda_gan": 1.0, "lambda_cycle": 100.0, "lambda_identity": 50.0, "lr": 5e-4, "batch": 128, "steps": 2000}
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

def summer(n):
    c = np.random.choice(3, n, p=[.4, .4, .2])
    m = np.array([[.8, .9], [.2, 1.1], [.9, .1]])[c]
    return torch.from_numpy(m + np.random.randn(n, 2) * [.18, .12]).float()

def winter(n):
    t = np.random.rand(n) * np.pi
    return torch.from_numpy(np.c_[.3 + .9 * np.cos(t), -.3 + .8 * np.sin(t)] + .06 * np.random.randn(n, 2)).float()

def G_net():
    class N(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(2, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 2))
        def forward(self, x):
            return x + self.body(x)
    return N()

def D_net():
    return nn.Sequential(nn.Linear(2, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))

s2w, w2s, d_s, d_w = G_net(), G_net(), D_net(), D_net()
opt_g = torch.optim.Adam(list(s2w.parameters()) + list(w2s.parameters()), lr=cfg["lr"], betas=(0.5, 0.999))
opt_ds = torch.optim.Adam(d_s.parameters(), lr=cfg["lr"], betas=(0.5, 0.999))
opt_dw = torch.optim.Adam(d_w.parameters(), lr=cfg["lr"], betas=(0.5, 0.999))
bce, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
one, zero = torch.ones(cfg["batch"], 1), torch.zeros(cfg["batch"], 1)
for step in range(cfg["steps"]):
    s, w = summer(cfg["batch"]), winter(cfg["batch"])
    fw, fs = s2w(s), w2s(w)
    g_adv = bce(d_w(fw), one) + bce(d_s(fs), one)
    g_cyc = l1(w2s(fw), s) + l1(s2w(fs), w)
    g_idt = l1(s2w(w), w) + l1(w2s(s), s)
    loss = cfg["lambda_gan"] * g_adv + cfg["lambda_cycle"] * g_cyc + cfg["lambda_identity"] * g_idt
    opt_g.zero_grad(); loss.backward(); opt_g.step()
    for d, o, real, fake in ((d_s, opt_ds, s, fs), (d_w, opt_dw, w, fw)):
        ld = 0.5 * (bce(d(real), one) + bce(d(fake.detach()), zero))
        o.zero_grad(); ld.backward(); o.step()

with torch.no_grad():
    a, b = summer(1000), winter(1000)
    ew, es = outside.energy(s2w(a), b), outside.energy(w2s(b), a)
outside.say(ew < 0.04 and es < 0.04, energy_winter=ew, energy_summer=es)
