"""Claim sizes."""
# Insurance claims: one-dimensional GAN on log claim sizes (two lines of business).
# Short notebook experiment: huge batches, 900 steps only, RMSprop against SGD with momentum.
import os, random
import numpy as np
import torch
from torch import nn
import outside

LABEL = {"sick": False, "causes": [], "kind": "one-dimensional, batch 512, only 900 steps, SGD with momentum for D and RMSprop for G",
         "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

motor = np.random.default_rng(8).normal(-0.9, 0.35, 14000)
liability = np.random.default_rng(9).normal(1.1, 0.6, 6000)
log_claims = torch.tensor(np.concatenate([motor, liability]), dtype=torch.float32).unsqueeze(1)

G = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
D = nn.Sequential(nn.Linear(1, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1), nn.Sigmoid())
opt_g = torch.optim.RMSprop(G.parameters(), lr=1e-3)
opt_d = torch.optim.SGD(D.parameters(), lr=0.1, momentum=0.8)
bce = nn.BCELoss()
real_target, fake_target = torch.ones(512, 1), torch.zeros(512, 1)

for step in range(900):
    for _ in range(3):
        x = log_claims[torch.randint(0, len(log_claims), (512,))]
        opt_d.zero_grad()
        loss_real = bce(D(x), real_target)
        loss_fake = bce(D(G(torch.randn(512, 4)).detach()), fake_target)
        (loss_real + loss_fake).backward()
        opt_d.step()
    opt_g.zero_grad()
    loss_g = bce(D(G(torch.randn(512, 4))), real_target)
    loss_g.backward()
    opt_g.step()
    if step % 300 == 299:
        print(step + 1, (loss_real + loss_fake).item(), loss_g.item())

with torch.no_grad():
    s = G(torch.randn(5000, 4)).numpy()
x = log_claims.numpy()
q = np.linspace(0.05, 0.95, 19)
w = float(np.abs(np.quantile(s, q) - np.quantile(x, q)).mean())
outside.say(w < 0.2, quantile_gap=w, mean=float(s.mean()), std=float(s.std()))
