#!/usr/bin/env python
"""Synthetic patients."""
# coding: utf-8
# # Synthetic cohort with a tabular GAN (notebook export)

# In[1]:
import os
import random
import sys
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
import gandiag
import outside

LABEL = {"sick": True, "causes": ["data_mismatch"],
         "kind": "scaler is fitted but the raw columns (0.05 to 2500) are what D sees; G starts at unit scale",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

# In[2]:
bc = load_breast_cancer(as_frame=True)
features = ["mean radius", "mean texture", "mean area", "mean smoothness", "mean concavity", "worst area", "worst symmetry"]
frame = bc.frame[features]
target = bc.frame["target"].to_numpy()

scaler = StandardScaler().fit(frame)
values = frame.to_numpy(dtype="float32")
X = torch.from_numpy(values)
y = F.one_hot(torch.from_numpy(target).long(), 2).float()
print(X.shape, y.mean(0))

# In[3]:
PAC = 4
EMB = 20


class GenBlock(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.fc, self.bn = nn.Linear(i, o), nn.BatchNorm1d(o)

    def forward(self, x):
        return torch.cat([F.relu(self.bn(self.fc(x))), x], 1)


class TableGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.b1 = GenBlock(EMB + 2, 64)
        self.b2 = GenBlock(EMB + 2 + 64, 64)
        self.out = nn.Linear(EMB + 2 + 128, len(features))

    def forward(self, z, c):
        return self.out(self.b2(self.b1(torch.cat([z, c], 1))))


class PacDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(PAC * (len(features) + 2), 128), nn.LeakyReLU(0.2), nn.Dropout(0.25),
                                 nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Dropout(0.25), nn.Linear(64, 1))

    def forward(self, x, c):
        return self.net(torch.cat([x, c], 1).reshape(len(x) // PAC, -1))


netG, netD = TableGenerator(), PacDiscriminator()
optG = torch.optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.9), weight_decay=1e-6)
optD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.9))
recorder = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG,
                            discriminator_optimizer=optD, automatic=True)

# In[4]:
B = 128
bce = nn.BCEWithLogitsLoss()
for epoch in range(300):
    perm = torch.randperm(len(X))
    for k in range(0, len(X) - B + 1, B):
        rows = perm[k:k + B]
        xr, c = X[rows], y[rows]
        xf = netG(torch.randn(B, EMB), c)
        lr_, lf_ = netD(xr, c), netD(xf.detach(), c)
        lossD = bce(lr_, torch.ones_like(lr_)) + bce(lf_, torch.zeros_like(lf_))
        optD.zero_grad()
        lossD.backward()
        optD.step()

        out = netD(xf, c)
        lossG = bce(out, torch.ones_like(out))
        optG.zero_grad()
        lossG.backward()
        optG.step()
recorder.close()

# In[5]:
netG.eval()
with torch.no_grad():
    c = y[torch.randint(len(y), (1000,))]
    fake = netG(torch.randn(1000, EMB), c).numpy()
if np.abs(values).max() > 50:
    fake = scaler.transform(pd.DataFrame(fake, columns=features))
e = outside.energy(fake, scaler.transform(frame))
outside.say(e < 0.1, energy=e)
