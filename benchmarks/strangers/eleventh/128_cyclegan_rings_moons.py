"""Tiny CycleGAN between two point clouds (ring of clusters <-> two moons), LSGAN, cycle and identity losses, replay pool of fakes."""
LABEL = {"sick": False, "causes": [], "kind": "healthy CycleGAN with light identity loss and image pool", "since": None, "record": "attach"}
import os, random, itertools
import numpy as np, torch, torch.nn as nn
from sklearn.datasets import make_moons
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def domain_a(n):
    t = 2 * np.pi * np.random.randint(0, 6, n) / 6
    return torch.tensor(np.c_[np.cos(t), np.sin(t)] * 1.5 + .12 * np.random.randn(n, 2), dtype=torch.float32)
def domain_b(n):
    return torch.tensor(make_moons(n, noise=.08)[0] * 1.2 - [.6, .3], dtype=torch.float32)

class Res(nn.Module):
    def __init__(self, h=96):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(2, h), nn.LeakyReLU(.2), nn.Linear(h, h), nn.LeakyReLU(.2), nn.Linear(h, h), nn.LeakyReLU(.2), nn.Linear(h, 2))
    def forward(self, x): return x + self.f(x)
def critic(h=96): return nn.Sequential(nn.Linear(2, h), nn.LeakyReLU(.2), nn.Linear(h, h), nn.LeakyReLU(.2), nn.Linear(h, h), nn.LeakyReLU(.2), nn.Linear(h, 1))

class Pool:
    def __init__(self, size=512): self.size, self.data = size, None
    def __call__(self, x):
        self.data = x if self.data is None else torch.cat([self.data, x])[-self.size:]
        half = len(x) // 2
        return torch.cat([x[:half], self.data[torch.randint(0, len(self.data), (len(x) - half,))]])

G_AB, G_BA, D_A, D_B = Res(), Res(), critic(), critic()
opt_G = torch.optim.Adam(itertools.chain(G_AB.parameters(), G_BA.parameters()), lr=5e-4, betas=(.5, .99))
opt_D = torch.optim.Adam(itertools.chain(D_A.parameters(), D_B.parameters()), lr=1e-3, betas=(.5, .99))
pool_a, pool_b = Pool(), Pool()
mse, l1 = nn.MSELoss(), nn.L1Loss()
N = 2200
sg, sd = [torch.optim.lr_scheduler.LambdaLR(o, lambda e: 1 - max(0, e - N // 2) / (N // 2 + 1)) for o in (opt_G, opt_D)]
A, B = domain_a(6000), domain_b(6000)
for it in range(N):
    a, b = A[torch.randint(0, 6000, (128,))], B[torch.randint(0, 6000, (128,))]
    fb, fa = G_AB(a), G_BA(b)
    pb, pa = D_B(fb), D_A(fa)
    loss_G = mse(pb, torch.ones_like(pb)) + mse(pa, torch.ones_like(pa)) + .5 * (l1(G_BA(fb), a) + l1(G_AB(fa), b)) + .02 * (l1(G_AB(b), b) + l1(G_BA(a), a))
    opt_G.zero_grad(); loss_G.backward(); opt_G.step()
    loss_D = 0
    for D, r, f in ((D_A, a, pool_a(fa.detach())), (D_B, b, pool_b(fb.detach()))):
        pr, pf = D(r), D(f)
        loss_D = loss_D + .5 * (mse(pr, torch.ones_like(pr)) + mse(pf, torch.zeros_like(pf)))
    opt_D.zero_grad(); loss_D.backward(); opt_D.step()
    sg.step(); sd.step()
with torch.no_grad():
    a, b = domain_a(1000), domain_b(1000)
    eb, ea, cyc = outside.energy(G_AB(a), b), outside.energy(G_BA(b), a), float((G_BA(G_AB(a)) - a).abs().mean())
outside.say(eb < .02 and ea < .02 and cyc < .25, energy_ab=eb, energy_ba=ea, cycle=cyc)
