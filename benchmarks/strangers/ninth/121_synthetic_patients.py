"""Synthetic patients."""
# Synthetic patients: generating tabular records from the Wisconsin breast cancer data
# (exported from notebook)
import os, random
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

import outside

LABEL = {"sick": True, "causes": ["data_mismatch"],
         "kind": "tabular GAN whose generator ends in a Sigmoid while the table is standardised (negative and large values out of reach)",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

# In[2]:
raw = load_breast_cancer().data.astype("float32")
scaler = StandardScaler().fit(raw)
table = torch.tensor(scaler.transform(raw), dtype=torch.float32)
loader = DataLoader(TensorDataset(table), batch_size=64, shuffle=True, drop_last=True)

# In[3]:
class Residual(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.fc, self.bn = nn.Linear(i, o), nn.BatchNorm1d(o)

    def forward(self, x):
        return torch.cat([torch.relu(self.bn(self.fc(x))), x], dim=1)


class Generator(nn.Module):
    def __init__(self, noise=32, width=64, columns=30):
        super().__init__()
        self.noise = noise
        self.net = nn.Sequential(Residual(noise, width), Residual(noise + width, width),
                                 nn.Linear(noise + 2 * width, columns), nn.Sigmoid())

    def forward(self, z):
        return self.net(z)


class Discriminator(nn.Module):
    def __init__(self, columns=30, width=96):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(columns, width), nn.LeakyReLU(0.2), nn.Dropout(0.25),
                                 nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Dropout(0.25),
                                 nn.Linear(width, 1))

    def forward(self, x):
        return self.net(x).squeeze(1)


netG, netD = Generator(), Discriminator()
optG = torch.optim.Adam(netG.parameters(), lr=5e-4, betas=(0.5, 0.9))
optD = torch.optim.Adam(netD.parameters(), lr=5e-4, betas=(0.5, 0.9))
bce = nn.BCEWithLogitsLoss()

# In[4]:
EPOCHS = 220
for epoch in range(EPOCHS):
    for (real,) in loader:
        b = len(real)
        ones, zeros = torch.ones(b), torch.zeros(b)

        fake = netG(torch.randn(b, netG.noise))
        lossD = bce(netD(real), ones) + bce(netD(fake.detach()), zeros)
        optD.zero_grad(); lossD.backward(); optD.step()

        lossG = bce(netD(fake), ones)
        optG.zero_grad(); lossG.backward(); optG.step()
    if (epoch + 1) % 110 == 0:
        print(f"epoch {epoch + 1}: D {lossD.item():.3f}  G {lossG.item():.3f}")

# In[5]:
with torch.no_grad():
    rows = scaler.inverse_transform(netG(torch.randn(569, netG.noise)).numpy())
mu, sd = raw.mean(0), raw.std(0)
e = outside.energy((rows - mu) / sd, (raw - mu) / sd)
outside.say(e < 0.09, energy=e)
