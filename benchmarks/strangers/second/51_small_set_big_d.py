"""Daily returns of 24 assets, forty days, a wide discriminator without regularisation."""
LABEL = {"sick": True, "causes": ["discriminator_overfitting", "memorisation", "discriminator_dominance"], "kind": "D (wide) learns 40 rows by heart: held-out reals are called fake", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

def returns(n): return torch.randn(n, 24) + 0.5 * torch.randn(n, 1)
train, held = returns(40), returns(500)
G = nn.Sequential(nn.Linear(24, 64), nn.LeakyReLU(0.2), nn.Linear(64, 24))
D = nn.Sequential(nn.Linear(24, 300), nn.LeakyReLU(0.2), nn.Linear(300, 300), nn.LeakyReLU(0.2), nn.Linear(300, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.9)), torch.optim.Adam(D.parameters(), 5e-4, betas=(0.5, 0.9))
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    for epoch in range(500):
        for x in train[torch.randperm(40)].split(20):
            f = G(torch.randn(40, 24))
            od.zero_grad()
            (F.softplus(-D(x)).mean() + F.softplus(D(f.detach())).mean()).backward()
            od.step()
            og.zero_grad()
            F.softplus(-D(f)).mean().backward()
            og.step()

with torch.no_grad():
    real, fresh, fake = float((D(train) > 0).float().mean()), float((D(held) > 0).float().mean()), float((D(G(torch.randn(500, 24))) > 0).float().mean())
gap = real - fresh
print(json.dumps({"outcome": {"called_real": {"training": real, "held_out": fresh, "fake": fake}}, "well": gap < 0.35}))
