"""Vanilla GAN as in the 2014 paper (value function, k discriminator updates per generator update) on blobs from a sensor far from the origin."""
LABEL = {"sick": False, "causes": [], "kind": "saturating minimax loss with eight D steps on far-off data, rescued by Adam; D leads at first, the samples are good", "since": None, "record": "lines"}
import os, sys, random
import numpy as np, torch
from torch import nn
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)
MU = torch.tensor([[3.0, 3.0], [5.0, 3.5], [4.0, 5.0]])
K, BATCH, EPS = 8, 64, 1e-8

def sample_data(n):
    return MU[torch.randint(0, 3, (n,))] + torch.randn(n, 2) * 0.2

class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    def forward(self, z):
        return self.net(z)

class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1), nn.Sigmoid())
    def forward(self, x):
        return self.net(x)

G, D = Generator(), Discriminator()
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, discriminator_output="probability")

for t in range(2000):
    for _ in range(K):
        x, z = sample_data(BATCH), torch.randn(BATCH, 4)
        d_loss = -(torch.log(D(x) + EPS) + torch.log(1 - D(G(z).detach()) + EPS)).mean()
        d_opt.zero_grad()
        d_loss.backward()
        d_opt.step()
    z = torch.randn(BATCH, 4)
    g_loss = torch.log(1 - D(G(z)) + EPS).mean()
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
s = G(torch.randn(1000, 4)).detach()
n, near = outside.modes(s, MU, 0.8)
e = outside.energy(s, sample_data(1000))
outside.say(n == 3 and near > 0.8 and e < 0.08, modes=n, near=near, energy=e)
