"""Consensus optimisation (Mescheder et al. 2017) on a ring of Gaussians, simultaneous updates with RMSprop."""
LABEL = {"sick": False, "causes": [], "kind": "simultaneous updates where both losses carry a large penalty on the norm of the joint gradient field, so losses look odd and slow", "since": None, "record": "attach"}
import os
import random
import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)

cfg = dict(modes=8, sd=0.1, radius=1.5, z=8, hidden=96, batch=128, gamma=0.3, lr=1e-3, iters=2500)

phi = torch.linspace(0, 2 * np.pi, cfg["modes"] + 1)[:-1]
mu = cfg["radius"] * torch.stack((torch.cos(phi), torch.sin(phi)), dim=1)


def sample_p(n):
    k = torch.randint(0, cfg["modes"], (n,))
    return mu[k] + cfg["sd"] * torch.randn(n, 2)


def mlp(i, o, h):
    return nn.Sequential(nn.Linear(i, h), nn.ELU(), nn.Linear(h, h), nn.ELU(), nn.Linear(h, h), nn.ELU(), nn.Linear(h, o))


gen = mlp(cfg["z"], 2, cfg["hidden"])
dis = mlp(2, 1, cfg["hidden"])
theta, psi = list(gen.parameters()), list(dis.parameters())
opt_theta = torch.optim.RMSprop(theta, lr=cfg["lr"])
opt_psi = torch.optim.RMSprop(psi, lr=cfg["lr"])

for it in range(cfg["iters"]):
    x = sample_p(cfg["batch"])
    y = gen(torch.randn(cfg["batch"], cfg["z"]))
    out_x, out_y = dis(x), dis(y)
    loss_dis = softplus(-out_x).mean() + softplus(out_y).mean()
    loss_gen = softplus(-out_y).mean()

    # the vector field of the game
    v_theta = torch.autograd.grad(loss_gen, theta, create_graph=True)
    v_psi = torch.autograd.grad(loss_dis, psi, create_graph=True)
    reg = 0.5 * sum(g.pow(2).sum() for g in v_theta + v_psi)

    # v + gamma * J^T v
    r_theta = torch.autograd.grad(reg, theta, retain_graph=True)
    r_psi = torch.autograd.grad(reg, psi)
    for p, v, r in zip(theta, v_theta, r_theta):
        p.grad = v.detach() + cfg["gamma"] * r
    for p, v, r in zip(psi, v_psi, r_psi):
        p.grad = v.detach() + cfg["gamma"] * r
    opt_theta.step()
    opt_psi.step()
    if it % 500 == 0:
        print("it %d  L_d %.4f  L_g %.4f  |v|^2/2 %.5f" % (it, loss_dis, loss_gen, reg))

with torch.no_grad():
    s = gen(torch.randn(2000, cfg["z"]))
e = outside.energy(s, sample_p(1000))
m, near = outside.modes(s, mu, 4 * cfg["sd"])
outside.say(e < 0.03 and m >= 7 and near > 0.5, energy=e, modes=m, near=near)
