"""%% [markdown]."""
# # Synthetic patients with a GAN (diabetes data)
# %%
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
import gandiag, outside

LABEL = {"sick": True, "causes": ["objective_fault", "oscillation", "divergence"], "kind": "zero_grad forgotten for both optimizers: gradients pile up over the whole run", "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

# %%
X = load_diabetes().data
X = (X - X.mean(0)) / X.std(0)
X = torch.tensor(X, dtype=torch.float)
batch_size = 34

# %%
class GenNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden0 = nn.Sequential(nn.Linear(10, 50), nn.BatchNorm1d(50), nn.ReLU())
        self.hidden1 = nn.Sequential(nn.Linear(50, 50), nn.BatchNorm1d(50), nn.ReLU())
        self.out = nn.Linear(50, 10)
    def forward(self, x):
        return self.out(self.hidden1(self.hidden0(x)))

class DiscNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden0 = nn.Sequential(nn.Linear(10, 80), nn.LeakyReLU(0.2), nn.Dropout(0.25))
        self.hidden1 = nn.Sequential(nn.Linear(80, 40), nn.LeakyReLU(0.2), nn.Dropout(0.25))
        self.out = nn.Sequential(nn.Linear(40, 1), nn.Sigmoid())
    def forward(self, x):
        return self.out(self.hidden1(self.hidden0(x)))

discriminator, generator = DiscNet(), GenNet()
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=0.0005)
g_optimizer = torch.optim.Adam(generator.parameters(), lr=0.0005)
loss = nn.BCELoss()
rec = gandiag.Recorder(sys.argv[1], generator=generator, discriminator=discriminator, generator_optimizer=g_optimizer,
                       discriminator_optimizer=d_optimizer, discriminator_output="probability")

# %%
def train_discriminator(real_data, fake_data):
    prediction_real = discriminator(real_data)
    error_real = loss(prediction_real, torch.ones(len(real_data), 1))
    error_real.backward()
    prediction_fake = discriminator(fake_data)
    error_fake = loss(prediction_fake, torch.zeros(len(fake_data), 1))
    error_fake.backward()
    d_optimizer.step()
    return error_real + error_fake

def train_generator(fake_data):
    error = loss(discriminator(fake_data), torch.ones(len(fake_data), 1))
    error.backward()
    g_optimizer.step()
    return error

for epoch in range(150):
    for idx in torch.randperm(len(X)).split(batch_size):
        real_data = X[idx]
        d_error = train_discriminator(real_data, generator(torch.randn(len(idx), 10)).detach())
        g_error = train_generator(generator(torch.randn(len(idx), 10)))
        rec.step(d_loss=d_error, g_loss=g_error)
rec.close()

# %%
generator.eval()
with torch.no_grad():
    fake = generator(torch.randn(1000, 10))
e = outside.energy(fake, X)
outside.say(e < 0.1, energy=e)
