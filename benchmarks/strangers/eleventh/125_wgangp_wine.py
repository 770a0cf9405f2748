"""WGAN-GP for synthetic rows of the wine table (13 standardised columns), five critic steps per generator step."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence"], "kind": "gradient penalty computed without create_graph, so it never reaches the critic", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

CFG = dict(latent=16, hidden=128, batch=64, lr=5e-4, n_critic=5, lambda_gp=10.0, iters=1000)
table = torch.tensor(StandardScaler().fit_transform(load_wine().data), dtype=torch.float32)
netG = nn.Sequential(nn.Linear(CFG["latent"], CFG["hidden"]), nn.ReLU(), nn.Linear(CFG["hidden"], CFG["hidden"]), nn.ReLU(), nn.Linear(CFG["hidden"], 13))
netD = nn.Sequential(nn.Linear(13, CFG["hidden"]), nn.LeakyReLU(0.2), nn.Linear(CFG["hidden"], CFG["hidden"]), nn.LeakyReLU(0.2), nn.Linear(CFG["hidden"], 1))
optG = torch.optim.Adam(netG.parameters(), lr=CFG["lr"], betas=(0.5, 0.9))
optD = torch.optim.Adam(netD.parameters(), lr=CFG["lr"], betas=(0.5, 0.9))

def sample_real():
    return table[torch.randint(0, len(table), (CFG["batch"],))]

def calc_gradient_penalty(real, fake):
    alpha = torch.rand(real.size(0), 1)
    inter = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    score = netD(inter)
    grads = torch.autograd.grad(outputs=score, inputs=inter, grad_outputs=torch.ones_like(score), retain_graph=True)[0]
    return CFG["lambda_gp"] * ((grads.norm(2, dim=1) - 1) ** 2).mean()

for it in range(CFG["iters"]):
    for _ in range(CFG["n_critic"]):
        real = sample_real()
        fake = netG(torch.randn(CFG["batch"], CFG["latent"])).detach()
        optD.zero_grad()
        errD = netD(fake).mean() - netD(real).mean() + calc_gradient_penalty(real, fake)
        errD.backward()
        optD.step()
    optG.zero_grad()
    errG = -netD(netG(torch.randn(CFG["batch"], CFG["latent"]))).mean()
    errG.backward()
    optG.step()

with torch.no_grad():
    rows = netG(torch.randn(1000, CFG["latent"]))
corr = lambda t: np.corrcoef(t.numpy().T)
diff = float(np.abs(corr(rows) - corr(table)).mean()) if torch.isfinite(rows).all() else 9.0
e = outside.energy(rows, table)
outside.say(e < 0.04 and diff < 0.15, energy=e, correlation_gap=diff)
