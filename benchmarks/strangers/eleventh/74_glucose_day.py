"""Day curves of blood glucose (24 hourly values, one to three meals at random hours), adversarial loss plus a reconstruction term as in pix2pix."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "mode_collapse"], "kind": "L1 to an unpaired random real sample with weight 100 outweighs the game: the generator gives the median curve", "since": 0, "record": "attach"}
import os, random
import numpy as np, torch
from torch import nn
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

h = torch.arange(24).float()
def glucose(n):
    y = -0.6 + 0.1 * torch.randn(n, 1) + torch.zeros(n, 24)
    for centre in (7.5, 13.0, 19.0):
        there = (torch.rand(n, 1) < 0.75).float()
        start = centre + 0.7 * torch.randn(n, 1)
        y = y + there * 0.9 * torch.exp(-((h - start) / 1.6) ** 2)
    return y + 0.02 * torch.randn(n, 24)

class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 24))
    def forward(self, z): return self.net(z)
class Disc(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(24, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
    def forward(self, x): return self.net(x)

G, D = Gen(), Disc()
optimizer_G = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(D.parameters(), lr=4e-4, betas=(0.5, 0.999))
adversarial_loss, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
lambda_adv, lambda_rec = 1.0, 100.0
valid, fake_lab = torch.ones(64, 1), torch.zeros(64, 1)
for i in range(3000):
    imgs = glucose(64)
    optimizer_G.zero_grad()
    gen = G(torch.randn(64, 12))
    g_loss = lambda_adv * adversarial_loss(D(gen), valid) + lambda_rec * l1(gen, imgs)
    g_loss.backward(); optimizer_G.step()
    optimizer_D.zero_grad()
    d_loss = 0.5 * (adversarial_loss(D(imgs), valid) + adversarial_loss(D(gen.detach()), fake_lab))
    d_loss.backward(); optimizer_D.step()
with torch.no_grad():
    s = G(torch.randn(1000, 12))
ref = glucose(1000)
e = outside.energy(s, ref)
outside.say(e < 0.06, energy=e, spread_ratio=(s.std(0).mean() / ref.std(0).mean()).item())
