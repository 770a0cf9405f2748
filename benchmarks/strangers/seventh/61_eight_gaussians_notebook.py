# coding: utf-8
"""Exported from eight_gaussians.ipynb."""
# In[1]:
import os, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

LABEL = {"sick": True, "causes": ["mode_collapse", "discriminator_weakness", "mode_dropping", "oscillation"], "kind": "8 Gaussians, G trained eight times per D step 'to help it catch up': collapses to one or two modes", "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)
torch.set_num_threads(1)

# In[2]:
angles = np.linspace(0, 2 * np.pi, 8, endpoint=False)
centers = 2.0 * np.stack([np.cos(angles), np.sin(angles)], 1)

def sample_ring(n):
    k = np.random.randint(0, 8, n)
    return torch.tensor(centers[k] + 0.05 * np.random.randn(n, 2), dtype=torch.float32)

# In[3]:
G = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
D = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
optG = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
optD = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
batch = 128
G_STEPS = 8

# In[4]:
it = 0
d_hist, g_hist = [], []
while it < 3200:
    x = sample_ring(batch)
    fake = G(torch.randn(batch, 16))
    dl = F.softplus(-D(x)).mean() + F.softplus(D(fake.detach())).mean()
    optD.zero_grad(); dl.backward(); optD.step()
    for _ in range(G_STEPS):
        gl = F.softplus(-D(G(torch.randn(batch, 16)))).mean()
        optG.zero_grad(); gl.backward(); optG.step()
        it += 1
        g_hist.append(gl.item())
    d_hist.append(dl.item())

print("last losses", np.mean(d_hist[-50:]), np.mean(g_hist[-50:]))

# In[5]:
with torch.no_grad():
    s = G(torch.randn(2000, 16))
n, near = outside.modes(s, centers, 0.3)
e = outside.energy(s, sample_ring(1000))
outside.say(n >= 7 and e < 0.05, modes=n, near=near, energy=e)
