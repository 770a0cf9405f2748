"""Non-saturating GAN with R1 regularisation on detector pulse shapes (24 samples each), plus a pixel loss that is meant to speed up the start."""
LABEL = {"sick": True, "causes": ["objective_fault", "mode_collapse", "stagnation"], "kind": "MSE between G(z) and an unrelated real batch outweighs the game: G gives the mean pulse", "since": 0, "record": "automatic"}
import os, sys, random
from dataclasses import dataclass
import numpy as np, torch
from torch import nn
import torch.nn.functional as F
import gandiag, outside

@dataclass
class Args:
    nz: int = 10
    width: int = 128
    batch: int = 80
    lr: float = 6e-4
    r1_gamma: float = 0.3
    l2_weight: float = 50.0
    iters: int = 2000

args = Args()
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def pulses(n):
    t = torch.arange(24.)[None]
    t0, tau = 3 + 8 * torch.rand(n, 1), 2 + 5 * torch.rand(n, 1)
    amp = torch.where(torch.rand(n, 1) < .5, .5, 1.) * (.9 + .2 * torch.rand(n, 1))
    d = (t - t0).clamp(min=0)
    return amp * 2.5 * (d / tau) * torch.exp(1 - d / tau) / 2 + .02 * torch.randn(n, 24)

G = nn.Sequential(nn.Linear(args.nz, args.width), nn.LeakyReLU(.2), nn.Linear(args.width, args.width), nn.LeakyReLU(.2), nn.Linear(args.width, args.width), nn.LeakyReLU(.2), nn.Linear(args.width, 24))
D = nn.Sequential(nn.Linear(24, args.width), nn.LeakyReLU(.2), nn.Linear(args.width, args.width), nn.LeakyReLU(.2), nn.Linear(args.width, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=args.lr, betas=(0., .99))
d_opt = torch.optim.Adam(D.parameters(), lr=args.lr, betas=(0., .99))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
X = pulses(8000)
for it in range(args.iters):
    x = X[torch.randint(0, len(X), (args.batch,))].requires_grad_()
    out = D(x)
    grad = torch.autograd.grad(out.sum(), x, create_graph=True)[0]
    d_loss = F.softplus(-out).mean() + F.softplus(D(G(torch.randn(args.batch, args.nz)).detach())).mean() + args.r1_gamma / 2 * grad.pow(2).sum(1).mean()
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    fake = G(torch.randn(args.batch, args.nz))
    g_loss = F.softplus(-D(fake)).mean() + args.l2_weight * F.mse_loss(fake, x.detach())
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
with torch.no_grad(): s = G(torch.randn(1000, args.nz))
e = outside.energy(s, pulses(1000))
nn_d = float(torch.cdist(s, X).min(1).values.mean() / torch.cdist(pulses(500), X).min(1).values.mean())
outside.say(e < .03 and nn_d < 3, energy=e, nearest=nn_d)
