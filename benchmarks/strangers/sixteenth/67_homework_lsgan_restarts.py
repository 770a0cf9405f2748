# -*- coding: utf-8 -*-
"""Homework 3, question 2b: LSGAN (a=-1, b=1, c=0) on a ring around a blob; the discriminator is re-initialised every 300 iterations and retrained."""
LABEL = {"sick": False, "causes": [], "kind": "the discriminator is thrown away and re-initialised every 300 steps (until step 900), then trained alone for 60 steps before the game goes on; labels -1, 1 and 0; each batch is sorted: first the blob, then the ring by angle", "since": None, "record": "attach"}
import os
import math
import torch
import torch.nn as nn
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

# ---- data: half of the batch is the blob in the middle, half the ring, by angle
def get_batch(n):
    a = (torch.arange(n // 2) + torch.rand(n // 2)) / (n // 2) * 2 * math.pi
    r = 1.3 + 0.08 * torch.randn(n // 2)
    return torch.cat([0.25 * torch.randn(n // 2, 2), torch.stack([r * a.cos(), r * a.sin()], 1)])

# ---- networks
def make_G():
    return nn.Sequential(nn.Linear(5, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(),
                         nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))

def init_D(D):
    for m in D.modules():
        if isinstance(m, nn.Linear):
            nn.init.kaiming_uniform_(m.weight, a=math.sqrt(5))
            nn.init.zeros_(m.bias)

G = make_G()
D = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(0.1), nn.Linear(128, 128), nn.LeakyReLU(0.1), nn.Linear(128, 1))
G_avg = make_G(); G_avg.load_state_dict(G.state_dict())
mse = nn.MSELoss()
optG = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.99))
optD = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.99))

def d_step(n=128):
    real, fake = get_batch(n), G(torch.randn(n, 5)).detach()
    real.requires_grad_(True)
    dr, df = D(real), D(fake)
    gr, = torch.autograd.grad(dr.sum(), real, create_graph=True)
    loss = 0.5 * mse(dr, torch.ones(n, 1)) + 0.5 * mse(df, -torch.ones(n, 1)) + 0.05 * gr.pow(2).sum(1).mean()
    optD.zero_grad(); loss.backward(); optD.step()
    return loss.item()

history = []
TOTAL = 2300
for it in range(TOTAL):
    if it % 300 == 0 and 0 < it <= 900:
        init_D(D)
        optD.state.clear()
        for _ in range(60):
            d_step()
    if it > 1300:
        for g in optG.param_groups: g["lr"] = 1e-3 * (1 - (it - 1300) / 1010)
        for g in optD.param_groups: g["lr"] = 2e-3 * (1 - (it - 1300) / 1010)
    ld = d_step()
    lg = 0.5 * mse(D(G(torch.randn(128, 5))), torch.zeros(128, 1))
    optG.zero_grad(); lg.backward(); optG.step()
    with torch.no_grad():
        for p, q in zip(G_avg.parameters(), G.parameters()):
            p.mul_(0.99).add_(q, alpha=0.01)
    history.append((ld, lg.item()))
    if it % 200 == 0:
        print("it %d  lossD %.4f  lossG %.4f" % (it, ld, lg.item()))

# ---- answer
with torch.no_grad():
    s = G_avg(torch.randn(4000, 5))
r = s.norm(dim=1)
on = (r.lt(0.7) | (r - 1.3).abs().lt(0.25)).float().mean().item()
inner = (r < 0.8).float().mean().item()
e = outside.energy(s, get_batch(4000)[torch.randperm(4000)])
outside.say(e < 0.02 and on > 0.75 and 0.3 < inner < 0.7, energy=e, on_figure=on, inner_share=inner)
