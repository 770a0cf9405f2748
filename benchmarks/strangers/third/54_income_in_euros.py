"""A census-like table (age, hours, income in euros) by a small tabular GAN."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance", "vanishing_generator_gradient"], "kind": "table never standardised: income in the ten thousands against a G that ends in tanh", "since": 0, "record": "attach"}
import json
import os

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
rng = np.random.default_rng(SEED)


def table(n):
    age = rng.normal(42, 12, n).clip(18, 80)
    hours = rng.choice([20, 38, 40, 45], n) + rng.normal(0, 1, n)
    income = np.exp(rng.normal(10.2, 0.4, n)) + 300 * (age - 40)
    return np.stack([age, hours, income], 1).astype("float32")


train = table(6000)
loader = DataLoader(TensorDataset(torch.from_numpy(train)), batch_size=128, shuffle=True, drop_last=True)
device = torch.device("cpu")
latent_dim = 16
generator = nn.Sequential(nn.Linear(latent_dim, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 3), nn.Tanh()).to(device)
discriminator = nn.Sequential(nn.Linear(3, 64), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)).to(device)
criterion = nn.BCEWithLogitsLoss()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=5e-4, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=5e-4, betas=(0.5, 0.999))
for epoch in range(18):
    for (rows,) in loader:
        rows = rows.to(device)
        valid, fake = torch.ones(len(rows), 1), torch.zeros(len(rows), 1)
        z = torch.randn(len(rows), latent_dim)
        gen_rows = generator(z)
        optimizer_D.zero_grad()
        d_loss = (criterion(discriminator(rows), valid) + criterion(discriminator(gen_rows.detach()), fake)) / 2
        d_loss.backward()
        optimizer_D.step()
        optimizer_G.zero_grad()
        g_loss = criterion(discriminator(gen_rows), valid)
        g_loss.backward()
        optimizer_G.step()
    print(f"[{epoch}] D {d_loss.item():.4f} G {g_loss.item():.4f}")
generator.eval()
with torch.no_grad():
    s = generator(torch.randn(2000, latent_dim)).numpy()
fresh = table(2000)
gap = [float(abs(s[:, i].mean() - fresh[:, i].mean()) / fresh[:, i].std()) for i in range(3)]
print(json.dumps({"outcome": {"mean_gap_in_sd": gap}, "well": max(gap) < 0.3}))
