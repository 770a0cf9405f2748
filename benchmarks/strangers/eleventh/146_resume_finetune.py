"""Logistic GAN with R1 on a checkerboard, continued from a checkpoint for a second stage of training."""
LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "mode_collapse"], "kind": "the second stage builds G's new optimizer with lr 5e-2 instead of 5e-4", "since": 1000, "record": "lines"}
import os, sys, io, random
import numpy as np, torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def checker(n):
    i = torch.randint(0, 4, (n,)); j = 2 * torch.randint(0, 2, (n,)) + i % 2
    return torch.stack([i, j], 1).float() - 2 + torch.rand(n, 2)

G = nn.Sequential(nn.Linear(4, 128), nn.LeakyReLU(.2), nn.Linear(128, 128), nn.LeakyReLU(.2), nn.Linear(128, 128), nn.LeakyReLU(.2), nn.Linear(128, 2))
D = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(.2), nn.Linear(128, 128), nn.LeakyReLU(.2), nn.Linear(128, 128), nn.LeakyReLU(.2), nn.Linear(128, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(.0, .99))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(.0, .99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)

def stage(iters):
    for _ in range(iters):
        x = checker(128).requires_grad_()
        real = D(x)
        r1 = torch.autograd.grad(real.sum(), x, create_graph=True)[0].square().sum(1).mean()
        d_loss = F.softplus(-real).mean() + F.softplus(D(G(torch.randn(128, 4)).detach())).mean() + .01 * r1
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
        g_loss = F.softplus(-D(G(torch.randn(128, 4)))).mean()
        g_opt.zero_grad(); g_loss.backward(); g_opt.step()
        rec.step(d_loss=d_loss, g_loss=g_loss)

stage(1000)
buffer = io.BytesIO()
torch.save({"G": G.state_dict(), "D": D.state_dict(), "d": d_opt.state_dict()}, buffer)
buffer.seek(0)
ckpt = torch.load(buffer)
G.load_state_dict(ckpt["G"]); D.load_state_dict(ckpt["D"]); d_opt.load_state_dict(ckpt["d"])
for group in g_opt.param_groups:
    group["lr"] = 5e-2
stage(800)
rec.close()
with torch.no_grad(): s = G(torch.randn(1000, 4))
e = outside.energy(s, checker(1000))
cell = (s + 2).floor().long(); ok = ((cell[:, 0] + cell[:, 1]) % 2 == 0) & (s.abs() < 2).all(1)
outside.say(e < .02 and float(ok.float().mean()) > .75, energy=e, on_black=float(ok.float().mean()))
