"""Credit-risk vectors (6-d, heavy tails).  SN-GAN, hinge, batch of 16, EMA of G used for sampling."""
import copy, math, os, random, sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "unusual: batch of 16, very noisy losses, two D steps, cosine schedule to zero, samples from the EMA of G",
         "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))


def seed_everything(s):
    random.seed(s); np.random.seed(s); torch.manual_seed(s)


def customers(n, seed):
    r = np.random.default_rng(seed)
    good = r.random(n) < .7
    core = r.standard_t(6, (n, 6)) * .35
    core[:, 1] += .6 * core[:, 0]
    core[:, 4] -= .5 * core[:, 2]
    core += np.where(good[:, None], [[.6, .2, -.3, .4, 0, .3]], [[-.8, -.5, .7, -.2, .6, -.9]])
    return torch.as_tensor(core, dtype=torch.float32)


class G6(nn.Module):
    def __init__(self):
        super().__init__()
        self.inn = nn.Linear(8, 64)
        self.blocks = nn.ModuleList(nn.Linear(64, 64) for _ in range(2))
        self.out = nn.Linear(64, 6)

    def forward(self, z):
        h = self.inn(z)
        for b in self.blocks:
            h = h + .5 * F.mish(b(h))
        return self.out(h)


class D6(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (spectral_norm(nn.Linear(i, o)) for i, o in ((6, 96), (96, 96), (96, 1)))

    def forward(self, x):
        return 3 * self.c(F.leaky_relu(self.b(F.leaky_relu(self.a(x), .1)), .1)).flatten()


class EMA:
    def __init__(self, net, decay=.995):
        self.net, self.decay = copy.deepcopy(net).requires_grad_(False), decay

    @torch.no_grad()
    def update(self, net):
        for e, p in zip(self.net.parameters(), net.parameters()):
            e.lerp_(p, 1 - self.decay)


seed_everything(SEED)
torch.set_num_threads(1)
G, D = G6(), D6()
ema = EMA(G)
g_opt = torch.optim.Adam(G.parameters(), lr=8e-4, betas=(0., .9))
d_opt = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0., .9))
TOTAL = 2000
cosine = lambda k: .5 * (1 + math.cos(math.pi * min(k, TOTAL) / TOTAL))
sched = [torch.optim.lr_scheduler.LambdaLR(o, cosine) for o in (g_opt, d_opt)]
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
pool = customers(10000, 1)
for it in range(TOTAL):
    for _ in range(2):
        real = pool[np.random.randint(0, len(pool), 16)]
        with torch.no_grad():
            fake = G(torch.randn(16, 8))
        loss_d = F.relu(1 - D(real)).mean() + F.relu(1 + D(fake)).mean()
        d_opt.zero_grad()
        loss_d.backward()
        d_opt.step()
    loss_g = -D(G(torch.randn(16, 8))).mean()
    g_opt.zero_grad()
    loss_g.backward()
    g_opt.step()
    ema.update(G)
    for s in sched:
        s.step()
rec.close()
e = outside.energy(ema.net(torch.randn(1000, 8)), customers(1000, 2))
outside.say(e < .03, energy=e)
