"""Relativistic average GAN (RaGAN, logistic, light R1) on two moons with three blobs, small MLPs."""
LABEL = {"sick": False, "causes": [], "kind": "healthy relativistic average GAN with odd loss values", "since": None, "record": "automatic"}
import os, sys, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import make_moons
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

def make(n):
    m, _ = make_moons(n, noise=.04)
    blobs = np.array([[-1, -1.], [2.2, 1.2], [.5, 1.8]])[np.random.randint(0, 3, n)] + .1 * np.random.randn(n, 2)
    pick = np.random.rand(n, 1) < .6
    return torch.tensor(np.where(pick, m, blobs), dtype=torch.float32)

def mlp(i, o, h=128):
    return nn.Sequential(nn.Linear(i, h), nn.LeakyReLU(.2), nn.Linear(h, h), nn.LeakyReLU(.2), nn.Linear(h, h), nn.LeakyReLU(.2), nn.Linear(h, o))

def main():
    G, D = mlp(8, 2), mlp(2, 1)
    g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(.5, .99))
    d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(.5, .99))
    gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
    data = make(8000)
    sched = [torch.optim.lr_scheduler.LambdaLR(o, lambda t: 1 if t < 1300 else max(.05, 1 - (t - 1300) / 500)) for o in (g_opt, d_opt)]
    for t in range(1800):
        x = data[torch.randint(0, len(data), (160,))].requires_grad_()
        f = G(torch.randn(160, 8))
        dr, df = D(x), D(f.detach())
        d_loss = F.softplus(-(dr - df.mean())).mean() + F.softplus(df - dr.mean()).mean()
        d_loss = d_loss + .01 * torch.autograd.grad(dr.sum(), x, create_graph=True)[0].square().sum(1).mean()
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
        dr, df = D(x).detach(), D(f)
        g_loss = F.softplus(-(df - dr.mean())).mean() + F.softplus(dr - df.mean()).mean()
        g_opt.zero_grad(); g_loss.backward(); g_opt.step()
        for s in sched: s.step()
    with torch.no_grad():
        s = G(torch.randn(1000, 8))
    e = outside.energy(s, make(1000))
    m, near = outside.modes(s, np.array([[-1, -1.], [2.2, 1.2], [.5, 1.8]]), .35)
    outside.say(e < .02 and m == 3 and near > .3, energy=e, blobs=m, near=near)

main()
