"""Linear-output GAN on z-scored digits features, my preprocessing followed a regression notebook."""
LABEL = {"sick": True, "causes": ["numerical_failure", "data_mismatch"], "kind": "z-score divides by the zero standard deviation of always-empty pixels: NaN in every real batch", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

EPS = 0.0
X = torch.tensor(load_digits().data, dtype=torch.float32)
mean, std = X.mean(0), X.std(0)
X = (X - mean) / (std + EPS)

G = nn.Sequential(nn.Linear(32, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 64))
D = nn.Sequential(nn.Linear(64, 192), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(192, 96), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(96, 1))
criterion = nn.BCEWithLogitsLoss()
optim_G = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.999))
optim_D = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.999))
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X), batch_size=80, shuffle=True, drop_last=True)
log = {"d": [], "g": []}
for epoch in range(170):
    for (xb,) in loader:
        b = xb.shape[0]
        fake = G(torch.randn(b, 32))
        d_loss = criterion(D(xb), torch.ones(b, 1)) + criterion(D(fake.detach()), torch.zeros(b, 1))
        optim_D.zero_grad(); d_loss.backward(); optim_D.step()
        g_loss = criterion(D(fake), torch.ones(b, 1))
        optim_G.zero_grad(); g_loss.backward(); optim_G.step()
        log["d"].append(d_loss.item()); log["g"].append(g_loss.item())
    if epoch % 40 == 0:
        print("epoch", epoch, "d", np.mean(log["d"][-20:]), "g", np.mean(log["g"][-20:]))

with torch.no_grad():
    f = G(torch.randn(1000, 32))
pix = f * (std + EPS) + mean
classes, ratio, _ = outside.digit_quality(pix / 8 - 1)
e = outside.energy(pix, torch.tensor(load_digits().data)[:1000])
outside.say(classes >= 8 and ratio < 1.5 and e < 0.05, classes=classes, ratio=ratio, energy=e)
