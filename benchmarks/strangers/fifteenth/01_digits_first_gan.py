"""My first GAN: making handwritten digits (8x8) with two small dense nets, from the tutorial notebook."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance", "vanishing_generator_gradient"], "kind": "the pixels are left at 0..16 while the generator ends in tanh", "since": 0, "record": "attach"}

import os
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
np.random.seed(SEED)
torch.set_num_threads(1)

# In[1]: the data
digits = load_digits()
X = torch.tensor(digits.data, dtype=torch.float32)
print("images:", X.shape)

# In[2]: the networks
latent_dim = 32

generator = nn.Sequential(
    nn.Linear(latent_dim, 128),
    nn.BatchNorm1d(128),
    nn.ReLU(),
    nn.Linear(128, 256),
    nn.BatchNorm1d(256),
    nn.ReLU(),
    nn.Linear(256, 64),
    nn.Tanh(),
)

discriminator = nn.Sequential(
    nn.Linear(64, 256),
    nn.LeakyReLU(0.2),
    nn.Dropout(0.3),
    nn.Linear(256, 128),
    nn.LeakyReLU(0.2),
    nn.Dropout(0.3),
    nn.Linear(128, 1),
    nn.Sigmoid(),
)

# In[3]: loss and optimizers
criterion = nn.BCELoss()
g_optimizer = torch.optim.Adam(generator.parameters(), lr=0.0004, betas=(0.5, 0.999))
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=0.0004, betas=(0.5, 0.999))
batch_size = 64
epochs = 110

# In[4]: the training
for epoch in range(epochs):
    order = torch.randperm(len(X))
    for i in range(0, len(X) - batch_size, batch_size):
        real = X[order[i:i + batch_size]]
        ones = torch.ones(batch_size, 1)
        zeros = torch.zeros(batch_size, 1)

        # train the discriminator
        d_optimizer.zero_grad()
        fake = generator(torch.randn(batch_size, latent_dim))
        d_loss = criterion(discriminator(real), ones) + criterion(discriminator(fake.detach()), zeros)
        d_loss.backward()
        d_optimizer.step()

        # train the generator
        g_optimizer.zero_grad()
        g_loss = criterion(discriminator(fake), ones)
        g_loss.backward()
        g_optimizer.step()
    if epoch % 20 == 0:
        print(f"epoch {epoch}: d {d_loss.item():.3f} g {g_loss.item():.3f}")

# In[5]: look at the result
generator.eval()
with torch.no_grad():
    samples = generator(torch.randn(1000, latent_dim))
e = outside.energy(samples, X[torch.randperm(len(X))])
lo, hi = X.min(), X.max()
classes, near, _ = outside.digit_quality((samples - lo) / (hi - lo) * 2 - 1)
outside.say(e < 0.06 and classes == 10, energy=e, classes=classes, near=near)
