"""GAN with a plain MLP pair on three concentric rings with logistic loss; one training function, loss logging every 200 steps."""
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "missing zero_grad for D: its gradients (also those from the G step) pile up for ever", "since": 0, "record": "attach"}
import os, random, math
import numpy as np, torch
from torch import nn
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def rings(n):
    r = torch.tensor([.5, 1.2, 2.])[torch.randint(0, 3, (n,))] + .05 * torch.randn(n)
    t = 2 * math.pi * torch.rand(n)
    return torch.stack([r * t.cos(), r * t.sin()], 1)

class Gen(nn.Module):
    def __init__(self, nz=6, h=128):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(nz, h), nn.LeakyReLU(.1), nn.Linear(h, h), nn.LeakyReLU(.1), nn.Linear(h, h), nn.LeakyReLU(.1), nn.Linear(h, 2))
    def forward(self, z):
        return self.net(z)

class Dis(nn.Module):
    def __init__(self, h=128):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, h), nn.LeakyReLU(.1), nn.Linear(h, h), nn.LeakyReLU(.1), nn.Linear(h, h), nn.LeakyReLU(.1), nn.Linear(h, 1))
    def forward(self, x):
        return self.net(x)

def train(steps=2000, bs=160):
    G, D = Gen(), Dis()
    optimG = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.99))
    optimD = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.99))
    crit = nn.BCEWithLogitsLoss()
    yes, no = torch.ones(bs, 1), torch.zeros(bs, 1)
    for step in range(steps):
        fake = G(torch.randn(bs, 6))
        errD = crit(D(rings(bs)), yes) + crit(D(fake.detach()), no)
        errD.backward()
        optimD.step()

        optimG.zero_grad()
        errG = crit(D(fake), yes)
        errG.backward()
        optimG.step()
        if step % 200 == 0:
            print(f"[{step}/{steps}] D {errD.item():.3f} G {errG.item():.3f}")
    return G

G = train()
with torch.no_grad():
    s = G(torch.randn(1000, 6))
e = outside.energy(s, rings(1000))
rad = s.norm(dim=1)
on = float(((rad[:, None] - torch.tensor([.5, 1.2, 2.])).abs().min(1).values < .15).float().mean())
outside.say(e < .03 and on > .6, energy=e, on_rings=on)
