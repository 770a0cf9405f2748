"""AC-GAN on iris (4 measurements, 3 species) with decaying instance noise and an EMA generator."""
import copy, os, random, sys
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from sklearn.datasets import load_iris
from sklearn.neighbors import KNeighborsClassifier
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "150 rows, instance noise fading out: D near chance at first and better later, losses change level half-way; EMA weights are sampled",
         "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

iris = load_iris()
feats = torch.tensor((iris.data - iris.data.mean(0)) / iris.data.std(0), dtype=torch.float32)
species = torch.tensor(iris.target)
STEPS, B, Z = 1600, 50, 8


class CondGen(nn.Module):
    def __init__(self):
        super().__init__()
        self.cls = nn.Embedding(3, Z)
        self.net = nn.Sequential(nn.Linear(2 * Z, 64), nn.Softplus(), nn.Linear(64, 4))

    def forward(self, z, c):
        return self.net(torch.cat([z, self.cls(c)], 1))


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 64), nn.LeakyReLU(0.2), nn.Linear(64, 32), nn.LeakyReLU(0.2))
        self.src, self.aux = nn.Linear(32, 1), nn.Linear(32, 3)

    def forward(self, x):
        h = self.body(x)
        return self.src(h).squeeze(1), self.aux(h)


G, D = CondGen(), TwoHeads()
G_avg = copy.deepcopy(G).requires_grad_(False)
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))

rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt,
                       discriminator_optimizer=d_opt, automatic=True)
for t in range(STEPS):
    sigma = 0.8 * max(0.0, 1 - t / (0.6 * STEPS))
    pick = torch.randint(len(feats), (B,))
    x, c = feats[pick] + 0.05 * torch.randn(B, 4), species[pick]
    ck = torch.randint(3, (B,))
    xk = G(torch.randn(B, Z), ck)

    s_r, a_r = D(x + sigma * torch.randn_like(x))
    s_f, _ = D(xk.detach() + sigma * torch.randn_like(xk))
    loss_d = F.softplus(-s_r).mean() + F.softplus(s_f).mean() + F.cross_entropy(a_r, c)
    d_opt.zero_grad(set_to_none=True)
    loss_d.backward()
    d_opt.step()

    s_f, a_f = D(xk + sigma * torch.randn_like(xk))
    loss_g = F.softplus(-s_f).mean() + 0.3 * F.cross_entropy(a_f, ck)
    g_opt.zero_grad(set_to_none=True)
    loss_g.backward()
    g_opt.step()
    with torch.no_grad():
        for pa, p in zip(G_avg.parameters(), G.parameters()):
            pa.lerp_(p, 0.01)
rec.close()

want = torch.arange(999) % 3
fake = G_avg(torch.randn(999, Z), want)
e = outside.energy(fake, feats)
acc = KNeighborsClassifier(5).fit(feats.numpy(), iris.target).score(fake.numpy(), want.numpy())
outside.say(e < 0.06 and acc > 0.8, energy=e, accuracy=acc)
