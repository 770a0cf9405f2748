"""BiGAN on the pose manifold of a two-joint arm: I need both sampling and inference."""
LABEL = {"sick": False, "causes": [], "kind": "bidirectional: D judges pairs (pose, latent), G and E share one optimizer and both are in the generator's loss; samples are right", "since": None, "record": "attach"}
import math
import os
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)


def poses(n):
    """elbow and hand positions of a planar arm for joint angles in a working range"""
    a = torch.rand(n) * math.pi * 0.9
    b = 0.4 + torch.rand(n) * 1.6
    ex, ey = torch.cos(a), torch.sin(a)
    hx, hy = ex + 0.8 * torch.cos(a + b), ey + 0.8 * torch.sin(a + b)
    p = torch.stack([ex, ey, hx, hy], 1)
    return p + 0.02 * torch.randn_like(p)


class Net(nn.Module):
    def __init__(self, n_in, n_out, h=80):
        super().__init__()
        self.a = nn.Linear(n_in, h)
        self.b = nn.Linear(h, h)
        self.c = nn.Linear(h, n_out)

    def forward(self, *xs):
        x = torch.cat(xs, 1)
        x = F.leaky_relu(self.a(x), 0.1)
        x = F.leaky_relu(self.b(x), 0.1)
        return self.c(x)


Z = 3
decoder = Net(Z, 4)
encoder = Net(4 + 1, Z)           # the extra input is noise: a stochastic encoder
judge = Net(4 + Z, 1, 96)
opt_ge = torch.optim.Adam([*decoder.parameters(), *encoder.parameters()], lr=5e-4, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(judge.parameters(), lr=1e-3, betas=(0.5, 0.99))

B = 128
for k in range(2600):
    x = poses(B)
    z = torch.randn(B, Z)
    x_gen = decoder(z)
    z_inf = encoder(x, torch.randn(B, 1))

    q = judge(x, z_inf.detach())
    p = judge(x_gen.detach(), z)
    loss_d = F.softplus(-q).mean() + F.softplus(p).mean()
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()

    # both players of the other side move towards each other
    q = judge(x, z_inf)
    p = judge(x_gen, z)
    loss_ge = F.softplus(q).mean() + F.softplus(-p).mean()
    opt_ge.zero_grad()
    loss_ge.backward()
    opt_ge.step()
    if k % 400 == 0:
        print(k, f"{loss_d.item():.3f}", f"{loss_ge.item():.3f}")

with torch.no_grad():
    made = decoder(torch.randn(1000, Z))
    fresh = poses(1000)
    z_of = encoder(fresh, torch.randn(1000, 1))
e = outside.energy(made, fresh)
arm = made[:, :2].norm(dim=1)
outside.say(e < 0.03 and float((arm - 1).abs().mean()) < 0.15, energy=e, upper_arm=float(arm.mean()), latent_sd=float(z_of.std()))
