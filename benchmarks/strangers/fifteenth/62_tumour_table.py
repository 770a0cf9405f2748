"""GAN for tabular medical data: ten cell-nucleus measurements (breast cancer set), exported from my notebook."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "discriminator_dominance"],
         "kind": "copy and paste: the optimizer meant for the generator holds the discriminator's parameters, so the generator never moves",
         "since": 0, "record": "attach"}
# %% imports
import os, random
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

# %% data
X = load_breast_cancer().data[:, :10]
X = StandardScaler().fit_transform(np.log1p(X))
X = torch.tensor(X).float()
print(X.shape)

# %% models
generator = nn.Sequential(
    nn.Linear(16, 64),
    nn.ReLU(),
    nn.Linear(64, 64),
    nn.ReLU(),
    nn.Linear(64, 10),
)
discriminator = nn.Sequential(
    nn.Linear(10, 64),
    nn.LeakyReLU(0.2),
    nn.Dropout(0.2),
    nn.Linear(64, 64),
    nn.LeakyReLU(0.2),
    nn.Dropout(0.2),
    nn.Linear(64, 1),
    nn.Sigmoid(),
)
loss_fn = nn.BCELoss()
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=0.0005, betas=(0.5, 0.999))
g_optimizer = torch.optim.Adam(discriminator.parameters(), lr=0.0005, betas=(0.5, 0.999))

# %% training
batch_size = 64
epochs = 320
history = []
for epoch in range(epochs):
    perm = torch.randperm(len(X))
    for i in range(0, len(X) - batch_size + 1, batch_size):
        real = X[perm[i:i + batch_size]]
        # --- discriminator
        noise = torch.randn(batch_size, 16)
        fake = generator(noise)
        d_real = discriminator(real)
        d_fake = discriminator(fake.detach())
        d_loss = (loss_fn(d_real, torch.ones_like(d_real) * 0.9) + loss_fn(d_fake, torch.zeros_like(d_fake))) / 2
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        # --- generator
        noise = torch.randn(batch_size, 16)
        out = discriminator(generator(noise))
        g_loss = loss_fn(out, torch.ones_like(out))
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
    history.append((d_loss.item(), g_loss.item()))
    if (epoch + 1) % 40 == 0:
        print("epoch", epoch + 1, "d_loss", round(history[-1][0], 3), "g_loss", round(history[-1][1], 3))

# %% how does it look?
with torch.no_grad():
    synthetic = generator(torch.randn(1000, 16))
corr_gap = np.abs(np.corrcoef(synthetic.numpy().T) - np.corrcoef(X.numpy().T)).mean()
e = outside.energy(synthetic, X)
outside.say(e < 0.08 and corr_gap < 0.25, energy=e, corr_gap=corr_gap)
