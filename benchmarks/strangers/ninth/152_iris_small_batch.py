"""Iris small batch."""
# Homework 4: conditional GAN for the iris flowers. Batches of 16, different rates for G and D (TTUR).
import os, random
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
import outside

LABEL = {"sick": False, "causes": [], "kind": "150 flowers, batches of 16, D has four times the rate of G: noisy curves around log 4 with D near chance",
         "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

iris = load_iris()
features = torch.tensor(iris.data, dtype=torch.float32)
low, high = features.min(0).values, features.max(0).values
features = 2 * (features - low) / (high - low) - 1
species = torch.tensor(iris.target)


class CondG(nn.Module):
    def __init__(self):
        super().__init__()
        self.label = nn.Embedding(3, 6)
        self.fc1 = nn.Linear(8 + 6, 40)
        self.fc2 = nn.Linear(40, 40)
        self.fc3 = nn.Linear(40, 4)

    def forward(self, z, c):
        x = torch.cat((z, self.label(c)), dim=1)
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.fc3(x)


class CondD(nn.Module):
    # projection discriminator
    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(4, 48), nn.LeakyReLU(0.2), nn.Linear(48, 32), nn.LeakyReLU(0.2))
        self.v = nn.Linear(32, 1)
        self.emb = nn.Embedding(3, 32)

    def forward(self, x, c):
        h = self.phi(x)
        return self.v(h)[:, 0] + (self.emb(c) * h).sum(1)


g, d = CondG(), CondD()
g_optimizer = torch.optim.Adam(g.parameters(), lr=5e-4, betas=(0.5, 0.999))
d_optimizer = torch.optim.Adam(d.parameters(), lr=2e-3, betas=(0.5, 0.999))
softplus = nn.functional.softplus

history = []
for i in range(2500):
    pick = torch.randint(0, 150, (16,))
    x, c = features[pick] + 0.05 * torch.randn(16, 4), species[pick]
    fake = g(torch.randn(16, 8), c)

    d_loss = softplus(-d(x, c)).mean() + softplus(d(fake.detach(), c)).mean()
    d_optimizer.zero_grad()
    d_loss.backward()
    d_optimizer.step()

    g_loss = softplus(-d(fake, c)).mean()
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()
    history.append((d_loss.item(), g_loss.item()))
print("mean losses of the last 200 steps:", np.mean(history[-200:], axis=0).round(3))

lda = LinearDiscriminantAnalysis().fit(features.numpy(), iris.target)
c = torch.arange(3).repeat(200)
with torch.no_grad():
    x = g(torch.randn(600, 8), c)
right = float((lda.predict(x.numpy()) == c.numpy()).mean())
e = outside.energy(x, features)
outside.say(right > 0.85 and e < 0.08, species_right=right, energy=e)
