"""Scurve cells."""
# %%
import os, random
import numpy as np
import torch
from torch import nn
from sklearn.datasets import make_s_curve
import outside

LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault"],
         "kind": "D is built anew after its optimizer was made: the optimizer holds the old net's weights, D never trains",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)
# %%
pts, _ = make_s_curve(5000, noise=0.03, random_state=SEED)
pts = torch.tensor(pts / np.array([0.7, 1.0, 1.2]), dtype=torch.float32)
pts = pts - pts.mean(0)
# %%
noise_dim = 6
hidden = 80
# %%
class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, hidden)
        self.b = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, 1, bias=False)
    def forward(self, x):
        h = torch.nn.functional.gelu(self.a(x))
        h = h + torch.nn.functional.gelu(self.b(h))
        return self.out(h)

class Sampler(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(noise_dim, hidden)
        self.b = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, 3)
    def forward(self, z):
        h = torch.relu(self.a(z))
        h = h + torch.relu(self.b(h))
        return self.out(h)
# %%
S, C = Sampler(), Critic()
adam_s = torch.optim.Adam(S.parameters(), lr=1e-3, betas=(0.0, 0.9))
adam_c = torch.optim.Adam(C.parameters(), lr=1e-3, betas=(0.0, 0.9))
# %%
def init(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        if m.bias is not None:
            nn.init.zeros_(m.bias)
S.apply(init)
C = Critic()
C.apply(init)
# %%
# least squares loss (Mao et al.)
for i in range(1200):
    xb = pts[torch.randint(0, len(pts), (96,))]
    zb = torch.randn(96, noise_dim)
    gb = S(zb)
    loss_c = ((C(xb) - 1) ** 2).mean() + (C(gb.detach()) ** 2).mean()
    adam_c.zero_grad(); C.zero_grad()
    loss_c.backward()
    adam_c.step()
    loss_s = ((C(gb) - 1) ** 2).mean()
    adam_s.zero_grad()
    loss_s.backward()
    adam_s.step()
    if not i % 400:
        print(i, loss_c.item(), loss_s.item())
# %%
with torch.no_grad():
    e = outside.energy(S(torch.randn(1000, noise_dim)), pts[:1000])
outside.say(e < 0.1, energy=e)
