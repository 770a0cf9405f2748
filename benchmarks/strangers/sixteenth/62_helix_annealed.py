"""A helix in 8 dimensions (intrinsic dimension one): GAN with annealed instance noise, after Sonderby et al. and Arjovsky & Bottou."""
LABEL = {"sick": False, "causes": [], "kind": "data on a thin curve in 8 dimensions; instance noise nearly as large as the data at first, gone over two thirds of the training, so that the discriminator goes from blind to strong", "since": None, "record": "automatic"}
import os, sys
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.set_num_threads(1)
torch.manual_seed(SEED)

AMBIENT, ZDIM, STEPS, B = 8, 4, 1800, 64
Q, _ = torch.linalg.qr(torch.randn(AMBIENT, 3, generator=torch.Generator().manual_seed(4)))


def helix(n):
    t = torch.rand(n, 1) * 2 - 1
    xyz = torch.cat([torch.cos(3.6 * t), torch.sin(3.6 * t), 1.3 * t], 1)
    return xyz @ Q.T


def mlp(i, h, o, act):
    return nn.Sequential(nn.Linear(i, h), act(), nn.Linear(h, h), act(), nn.Linear(h, h), act(), nn.Linear(h, o))


gen = mlp(ZDIM, 64, AMBIENT, nn.SiLU)
dis = mlp(AMBIENT, 80, 1, nn.SiLU)
og = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.5, 0.99))
od = torch.optim.Adam(dis.parameters(), lr=1e-3, betas=(0.5, 0.99))
decay = lambda k: 1.0 if k < STEPS // 2 else max(0.03, 2 * (1 - k / STEPS))
sg, sd = (torch.optim.lr_scheduler.LambdaLR(o, decay) for o in (og, od))
average = torch.optim.swa_utils.AveragedModel(gen, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995))
recorder = Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=og, discriminator_optimizer=od, automatic=True)

for k in range(STEPS):
    sigma = max(0.0, 0.7 * (1 - k / (0.66 * STEPS)))
    x = helix(B)
    y = gen(torch.randn(B, ZDIM))
    xn = (x + sigma * torch.randn_like(x)).requires_grad_()
    d_real, d_fake = dis(xn), dis(y.detach() + sigma * torch.randn_like(y))
    gx, = torch.autograd.grad(d_real.sum(), xn, create_graph=True)
    ld = F.softplus(-d_real).mean() + F.softplus(d_fake).mean() + 0.03 * gx.square().sum(1).mean()
    od.zero_grad(); ld.backward(); od.step()
    lg = F.softplus(-dis(y + sigma * torch.randn_like(y))).mean()
    og.zero_grad(); lg.backward(); og.step()
    sg.step(); sd.step(); average.update_parameters(gen)
    if k % 250 == 0:
        print(k, f"sigma {sigma:.2f} d {ld.item():.3f} g {lg.item():.3f}")
recorder.close()

with torch.no_grad():
    s = average(torch.randn(4000, ZDIM)); ref = helix(4000)
    curve = (lambda t: torch.cat([torch.cos(3.6 * t), torch.sin(3.6 * t), 1.3 * t], 1) @ Q.T)(torch.linspace(-1, 1, 800)[:, None])
    off = torch.cdist(s, curve).min(1)[0].mean().item()
    where = torch.cdist(s, curve).min(1)[1]
    share = torch.bincount(where // 100, minlength=8).float() / len(s)
e = outside.energy(s, ref)
outside.say(e < 0.02 and off < 0.14 and share.min() > 0.04, energy=e, off_curve=off, rarest_eighth=float(share.min()))
