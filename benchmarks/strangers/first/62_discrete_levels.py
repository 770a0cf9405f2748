"""Rows of four dice (values 1..6 standardised, plus jitter): few distinct values are right; RMSprop, hinge."""
import os, torch
from torch import nn
import outside
LABEL = {"sick": False, "causes": [], "kind": "discrete data, few distinct values", "since": None, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
def dice(n): return (torch.randint(1, 7, (n, 3)).float() - 3.5) / 1.7
gen = nn.Sequential(nn.Linear(12, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 3)); critic = nn.Sequential(nn.Linear(3, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
og, oc = torch.optim.RMSprop(gen.parameters(), 3e-4), torch.optim.RMSprop(critic.parameters(), 6e-4); noisy = lambda x: x + 0.15 * torch.randn_like(x)
def rounds():
    while True: yield noisy(dice(96)), torch.randn(96, 12)
for i, (real, z) in zip(range(1000), rounds()):
    fake = noisy(gen(z)); oc.zero_grad(); (torch.relu(1 - critic(real)).mean() + torch.relu(1 + critic(fake.detach())).mean()).backward(); oc.step()
    og.zero_grad(); (-critic(noisy(gen(z))).mean()).backward(); og.step()
with torch.no_grad(): f = gen(torch.randn(1000, 12))
e = outside.energy(f, dice(1000)); outside.say(e < 0.03, energy=e)
