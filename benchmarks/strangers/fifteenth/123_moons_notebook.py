"""My first GAN: two moons (sklearn), exported from a notebook."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "discriminator_dominance"], "kind": "copy-paste: the generator's optimizer was given the discriminator's parameters, so the generator never moves", "since": 0, "record": "attach"}

# In[1]:
import os
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_moons
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
np.random.seed(SEED)
torch.set_num_threads(1)

# In[2]:
X, _ = make_moons(4000, noise=0.05, random_state=SEED)
X = (X - X.mean(0)) / X.std(0)
X = torch.tensor(X, dtype=torch.float32)
loader = torch.utils.data.DataLoader(X, batch_size=100, shuffle=True, drop_last=True)

# In[3]:
class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 64)
        self.fc2 = nn.Linear(64, 64)
        self.fc3 = nn.Linear(64, 2)

    def forward(self, z):
        h = torch.relu(self.fc1(z))
        h = torch.relu(self.fc2(h))
        return self.fc3(h)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 64)
        self.fc2 = nn.Linear(64, 64)
        self.fc3 = nn.Linear(64, 1)

    def forward(self, x):
        h = nn.functional.leaky_relu(self.fc1(x), 0.2)
        h = nn.functional.leaky_relu(self.fc2(h), 0.2)
        return self.fc3(h)


generator = Generator()
discriminator = Discriminator()
criterion = nn.BCEWithLogitsLoss()
lr = 1e-3
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=(0.5, 0.999))
g_optimizer = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=(0.5, 0.999))

# In[4]:
for epoch in range(60):
    for real in loader:
        n = len(real)
        # train D
        d_optimizer.zero_grad()
        fake = generator(torch.randn(n, 4))
        d_loss = criterion(discriminator(real), torch.ones(n, 1)) + criterion(discriminator(fake.detach()), torch.zeros(n, 1))
        d_loss.backward()
        d_optimizer.step()
        # train G
        g_optimizer.zero_grad()
        g_loss = criterion(discriminator(fake), torch.ones(n, 1))
        g_loss.backward()
        g_optimizer.step()
    if epoch % 20 == 0:
        print("epoch", epoch, "d", d_loss.item(), "g", g_loss.item())

# In[5]:
with torch.no_grad():
    samples = generator(torch.randn(2000, 4))
e = outside.energy(samples, X[torch.randperm(len(X))])
outside.say(e < 0.02, energy=e)
