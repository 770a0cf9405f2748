"""Style-modulated generator of 8x8 spots with logistic loss and lazy R1, the recipe from the StyleGAN2 code shrunk to fit a laptop."""
import os, sys, random
import numpy as np, torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "discriminator_dominance"], "kind": "R1 term enters with a minus sign, so D is rewarded for steep gradients", "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

conf = {"z": 12, "w": 32, "batch": 48, "gamma": 0.5, "every": 4, "lr": 1e-3, "steps": 1500}


def spots(n):
    g = torch.linspace(-1, 1, 8)
    yy, xx = torch.meshgrid(g, g, indexing="ij")
    cx, cy = (torch.rand(2, n, 1, 1) - 0.5) * 1.2
    r = 0.25 + 0.2 * torch.rand(n, 1, 1)
    return (2 * torch.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / (2 * r ** 2)) - 1)[:, None]


class Mapping(nn.Sequential):
    def __init__(self, z, w):
        super().__init__(nn.Linear(z, w), nn.LeakyReLU(0.2), nn.Linear(w, w), nn.LeakyReLU(0.2))


class Styled(nn.Module):
    def __init__(self, cin, cout, w):
        super().__init__()
        self.conv, self.style = nn.Conv2d(cin, cout, 3, 1, 1), nn.Linear(w, cin)

    def forward(self, x, w):
        return F.leaky_relu(self.conv(x * (1 + self.style(w))[:, :, None, None]), 0.2)


class Synthesis(nn.Module):
    def __init__(self, z, w, c=32):
        super().__init__()
        self.mapping = Mapping(z, w)
        self.const = nn.Parameter(torch.randn(1, c, 4, 4))
        self.pos = nn.Linear(w, c * 16)
        self.a, self.b = Styled(c, c, w), Styled(c, c, w)
        self.rgb = nn.Conv2d(c, 1, 1)

    def forward(self, z):
        w = self.mapping(z)
        x = self.const + self.pos(w).view(len(z), -1, 4, 4)
        x = F.interpolate(self.a(x, w), scale_factor=2)
        return self.rgb(self.b(x, w))


class Disc(nn.Module):
    def __init__(self, c=32):
        super().__init__()
        self.n = nn.Sequential(nn.Conv2d(1, c, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(c, c, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(c * 16, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, x):
        return self.n(x)


G, D = Synthesis(conf["z"], conf["w"]), Disc()
g_opt = torch.optim.Adam(G.parameters(), conf["lr"], (0.0, 0.99))
d_opt = torch.optim.Adam(D.parameters(), conf["lr"], (0.0, 0.99))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)


def r1_reg(real):
    real = real.clone().requires_grad_(True)
    grad, = torch.autograd.grad(D(real).sum(), real, create_graph=True)
    return grad.pow(2).flatten(1).sum(1).mean()


for step in range(conf["steps"]):
    real, fake = spots(conf["batch"]), G(torch.randn(conf["batch"], conf["z"]))
    loss = F.softplus(D(fake.detach())).mean() + F.softplus(-D(real)).mean()
    if step % conf["every"] == 0:
        loss = loss - conf["every"] * conf["gamma"] / 2 * r1_reg(real)
    d_opt.zero_grad(); loss.backward(); d_opt.step()
    gl = F.softplus(-D(fake)).mean()
    g_opt.zero_grad(); gl.backward(); g_opt.step()
    if step % 250 == 0:
        print(step, loss.item(), gl.item())

with torch.no_grad():
    out = G(torch.randn(1000, conf["z"]))
e = outside.energy(out, spots(1000))
near = torch.cdist(out.flatten(1), spots(4000).flatten(1)).min(1).values.mean().item()
outside.say(e < 0.06 and near < 2.0, energy=e, near=near)
