"""Sine snippets of 24 samples; my laptop is small, so gradients are gathered over four micro-batches before each optimizer step."""
LABEL = {"sick": False, "causes": [], "kind": "gradient accumulation on purpose (several backward per step, zero_grad after), micro-batches of 16; good", "since": 0, "record": "attach"}
import os, random, math
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)
L, ACC, MB = 24, 4, 16
t = torch.linspace(0, 1, L)

def snippets(n):
    a = 0.5 + 0.5 * torch.rand(n, 1); p = 2 * math.pi * torch.rand(n, 1)
    return a * torch.sin(2 * math.pi * 1.5 * t + p)

G = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, L))
D = nn.Sequential(nn.Linear(L, 64), nn.LeakyReLU(.2), nn.Linear(64, 64), nn.LeakyReLU(.2), nn.Linear(64, 1))
go = torch.optim.Adam(G.parameters(), 1e-3, betas=(.5, .9))
do = torch.optim.Adam(D.parameters(), 1e-3, betas=(.5, .9))

for it in range(1900):
    for _ in range(ACC):
        x = snippets(MB).requires_grad_(True)
        r = D(x)
        gr, = torch.autograd.grad(r.sum(), x, create_graph=True)
        f = D(G(torch.randn(MB, 6)).detach())
        loss = F.softplus(-r).mean() + F.softplus(f).mean() + 0.05 * gr.pow(2).sum(1).mean()
        (loss / ACC).backward()
    do.step(); do.zero_grad()
    for _ in range(ACC):
        (F.softplus(-D(G(torch.randn(MB, 6)))).mean() / ACC).backward()
    go.step(); go.zero_grad(); do.zero_grad()

with torch.no_grad():
    s = G(torch.randn(1000, 6))
e = outside.energy(s, snippets(1000))
outside.say(e < 0.03, energy=e)
