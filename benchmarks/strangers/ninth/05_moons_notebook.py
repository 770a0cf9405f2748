#!/usr/bin/env python
"""Moons notebook."""
# coding: utf-8

# In[1]:
import os
import sys
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_moons

import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "stagnation"],
         "kind": "the detached fake batch is used again for the generator's loss: G never receives a gradient",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

# # A GAN for the two moons
# In[2]:
data, _ = make_moons(4000, noise=0.06, random_state=SEED)
data = (data - data.mean(0)) / data.std(0)
data = torch.tensor(data, dtype=torch.float32)


# In[3]:
class Gen(nn.Module):
    def __init__(self, z=4, h=64):
        super(Gen, self).__init__()
        self.fc1 = nn.Linear(z, h)
        self.fc2 = nn.Linear(h, h)
        self.fc3 = nn.Linear(h, 2)

    def forward(self, x):
        x = F.elu(self.fc1(x))
        x = F.elu(self.fc2(x))
        return self.fc3(x)


class Disc(nn.Module):
    def __init__(self, h=64):
        super(Disc, self).__init__()
        self.fc1 = nn.Linear(2, h)
        self.fc2 = nn.Linear(h, h)
        self.fc3 = nn.Linear(h, 1)

    def forward(self, x):
        x = F.leaky_relu(self.fc1(x), 0.2)
        x = F.leaky_relu(self.fc2(x), 0.2)
        return self.fc3(x)


# In[4]:
G, D = Gen(), Disc()
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))
bs = 128
ones, zeros = torch.ones(bs, 1), torch.zeros(bs, 1)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt,
                       discriminator_optimizer=d_opt, automatic=True)

# In[5]:
history = []
for it in range(1500):
    x = data[torch.randint(len(data), (bs,))]
    z = torch.randn(bs, 4)
    x_fake = G(z).detach()

    d_opt.zero_grad()
    loss_d = F.binary_cross_entropy_with_logits(D(x), ones) + F.binary_cross_entropy_with_logits(D(x_fake), zeros)
    loss_d.backward()
    d_opt.step()

    g_opt.zero_grad()
    loss_g = F.binary_cross_entropy_with_logits(D(x_fake), ones)
    loss_g.backward()
    g_opt.step()
    history.append((loss_d.item(), loss_g.item()))
    if it % 500 == 0:
        print(it, history[-1])
rec.close()

# In[6]:
with torch.no_grad():
    s = G(torch.randn(1000, 4))
e = outside.energy(s, data)
outside.say(e < 0.1, energy=e)
