"""Swiss roll in 2-D, hinge loss with the signs of D's margins the wrong way round."""
import os, torch, numpy as np
from torch import nn
from torch.nn.functional import relu
import outside
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "hinge of D has swapped signs, G keeps its own", "since": 0, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
def roll(n):
    t = 1.5 * np.pi * (1 + 2 * torch.rand(n)); return torch.stack([t * t.cos(), t * t.sin()], 1) / 7 + 0.02 * torch.randn(n, 2)
gen = nn.Sequential(nn.Linear(6, 80), nn.SiLU(), nn.Linear(80, 80), nn.SiLU(), nn.Linear(80, 2))
disc = nn.Sequential(nn.Linear(2, 80), nn.SiLU(), nn.Linear(80, 80), nn.SiLU(), nn.Linear(80, 1))
og, od = (torch.optim.Adam(n.parameters(), 3e-4, betas=(0.0, 0.9)) for n in (gen, disc))
def d_hinge(real, fake): return relu(1 + real).mean() + relu(1 - fake).mean()
for step in range(1200):
    fake = gen(torch.randn(128, 6))
    od.zero_grad(); d_hinge(disc(roll(128)), disc(fake.detach())).backward(); od.step()
    og.zero_grad(); (-disc(gen(torch.randn(128, 6))).mean()).backward(); og.step()
with torch.no_grad(): f = gen(torch.randn(1000, 6))
e = outside.energy(f, roll(1000)); outside.say(e < 0.05, energy=e)
