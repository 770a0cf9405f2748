"""Swiss roll in the plane through a DataLoader, hinge loss."""
LABEL = {"sick": True, "causes": ["data_mismatch", "oscillation"], "kind": "the roll is stored in order of its angle and the loader does not shuffle: each batch is one short piece of the curve and G runs after it", "since": 0, "record": "attach"}
# exported from a notebook
import os, random
import numpy as np
import torch
from torch import nn
from torch.utils.data import TensorDataset, DataLoader
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

# In[1]: data
def roll(t):
    x = np.stack([t * np.cos(t), t * np.sin(t)], 1) / 7.0
    return torch.tensor(x + 0.04 * np.random.randn(*x.shape), dtype=torch.float32)

N = 16000
t_train = np.linspace(1.5 * np.pi, 4.5 * np.pi, N)
dataset = TensorDataset(roll(t_train))
loader = DataLoader(dataset, batch_size=128, drop_last=True)

# In[2]: networks
G = nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
D = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.5, 0.9))
opt_d = torch.optim.Adam(D.parameters(), lr=8e-4, betas=(0.5, 0.9))

# In[3]: training
EPOCHS = 24
step = 0
for epoch in range(EPOCHS):
    for (x,) in loader:
        z = torch.randn(len(x), 4)
        with torch.no_grad():
            fake = G(z)
        d_real, d_fake = D(x), D(fake)
        d_loss = torch.relu(1 - d_real).mean() + torch.relu(1 + d_fake).mean()
        opt_d.zero_grad(set_to_none=True)
        d_loss.backward()
        opt_d.step()

        g_loss = -D(G(torch.randn(len(x), 4))).mean()
        opt_g.zero_grad(set_to_none=True)
        g_loss.backward()
        opt_g.step()
        step += 1
    print(f"epoch {epoch:2d} step {step} d_loss {d_loss:.3f} g_loss {g_loss:.3f}")

# In[4]: compare with fresh points of the roll
with torch.no_grad():
    y = G(torch.randn(2000, 4))
fresh = roll(np.random.uniform(1.5 * np.pi, 4.5 * np.pi, 1000))
e = outside.energy(y, fresh)
# how much of the curve has a sample near
t = np.linspace(1.5 * np.pi, 4.5 * np.pi, 60)
curve = np.stack([t * np.cos(t), t * np.sin(t)], 1) / 7.0
dist = np.linalg.norm(y.numpy()[:, None] - curve[None], axis=2)
reached = float((dist.min(0) < 0.15).mean())
outside.say(e < 0.03 and reached > 0.85, energy=e, reached=reached)
