"""Daily returns of six correlated assets with heavy tails; classic WGAN, weight clipping and RMSprop."""
LABEL = {"sick": False, "causes": [], "kind": "healthy clipped WGAN on heavy tailed returns", "since": None, "record": "attach"}
import os, random
import numpy as np, torch
import torch.nn as nn
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

A = np.random.default_rng(7).normal(size=(6, 6)) * 0.3 + np.eye(6) * 0.6
rng = np.random.default_rng(SEED + 1)
def returns(n):
    return torch.tensor((rng.standard_t(6, size=(n, 6)) @ A.T), dtype=torch.float32)
history = returns(5000)

class Net(nn.Module):
    def __init__(self, i, o, h=64):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(i, h), nn.Linear(h, h), nn.Linear(h, o)
    def forward(self, x):
        x = torch.relu(self.a(x))
        return self.c(torch.relu(self.b(x)))

gen, critic = Net(12, 6), Net(6, 1, 128)
opt_gen = torch.optim.RMSprop(gen.parameters(), lr=3e-4)
opt_critic = torch.optim.RMSprop(critic.parameters(), lr=3e-4)
for it in range(1800):
    for _ in range(5):
        real = history[torch.randint(len(history), (128,))]
        fake = gen(torch.randn(128, 12)).detach()
        wdist = critic(real).mean() - critic(fake).mean()
        opt_critic.zero_grad(); (-wdist).backward(); opt_critic.step()
        with torch.no_grad():
            for p in critic.parameters():
                p.clamp_(-0.08, 0.08)
    opt_gen.zero_grad()
    lg = -critic(gen(torch.randn(128, 12))).mean()
    lg.backward(); opt_gen.step()
    if it % 300 == 0: print(f"[{it}] W={wdist.item():+.4f}")
with torch.no_grad():
    s = gen(torch.randn(1000, 12))
e = outside.energy(s, returns(1000))
outside.say(e < 0.03, energy=e, vol_ratio=(s.std() / history.std()).item())
