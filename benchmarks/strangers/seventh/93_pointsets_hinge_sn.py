"""PointSet-GAN: sets of 12 points on random ellipses; set-attention generator, DeepSets critic with spectral norm."""
import os, sys, random, math
import numpy as np
import torch
import torch.nn as nn
from torch.nn.utils import spectral_norm as SN
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "hinge + spectral norm on point sets: D hardly better than chance, losses flat near 2 and 0 for the whole run", "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)
torch.set_num_threads(1)
K = 12


def ellipses(n):
    a = np.random.uniform(0.4, 1.0, (n, 1)); b = np.random.uniform(0.4, 1.0, (n, 1))
    off = np.random.uniform(0, 2 * math.pi, (n, 1))
    th = off + 2 * math.pi * np.random.rand(n, K)
    return torch.tensor(np.stack([a * np.cos(th), b * np.sin(th)], -1) + 0.02 * np.random.randn(n, K, 2), dtype=torch.float32)


class SetGenerator(nn.Module):
    def __init__(self, z=4, h=32):
        super().__init__()
        self.glob = nn.Linear(z, h)
        self.loc = nn.Linear(3, h)
        self.att = nn.MultiheadAttention(h, 2, batch_first=True)
        self.ff = nn.Sequential(nn.LayerNorm(h), nn.Linear(h, 2 * h), nn.GELU(), nn.Linear(2 * h, h), nn.GELU(), nn.Linear(h, 2))

    def forward(self, z):
        eps = torch.randn(len(z), K, 3)
        h = torch.nn.functional.gelu(self.loc(eps) + self.glob(z)[:, None])
        a, _ = self.att(h, h, h, need_weights=False)
        return self.ff(h + a)


class SetCritic(nn.Module):
    def __init__(self, h=48):
        super().__init__()
        self.phi = nn.Sequential(SN(nn.Linear(2, h)), nn.LeakyReLU(0.1), SN(nn.Linear(h, h)), nn.LeakyReLU(0.1))
        self.rho = nn.Sequential(SN(nn.Linear(2 * h, h)), nn.LeakyReLU(0.1), SN(nn.Linear(h, 1)))

    def forward(self, s):
        p = self.phi(s)
        return self.rho(torch.cat([p.mean(1), p.max(1).values], 1)) * 4


gen, critic = SetGenerator(), SetCritic()
og = torch.optim.Adam(gen.parameters(), lr=5e-4, betas=(0.0, 0.9))
od = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.0, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=critic, generator_optimizer=og, discriminator_optimizer=od, automatic=True)
for i in range(1300):
    real, fake = ellipses(48), gen(torch.randn(48, 4))
    od.zero_grad()
    ld = torch.relu(1 - critic(real)).mean() + torch.relu(1 + critic(fake.detach())).mean()
    ld.backward()
    od.step()
    og.zero_grad()
    lg = -critic(fake).mean()
    lg.backward()
    og.step()
rec.close()

with torch.no_grad():
    s = gen(torch.randn(1000, 4))
r = ellipses(1000)
pts = outside.energy(s.reshape(-1, 2)[torch.randperm(12000)], r.reshape(-1, 2)[torch.randperm(12000)])
feat = lambda x: torch.cat([x.std(1), x.norm(dim=2).amin(1, keepdim=True), x.norm(dim=2).amax(1, keepdim=True)], 1)
shape = outside.energy(feat(s), feat(r))
outside.say(pts < 0.03 and shape < 0.12, points=pts, shape=shape)
