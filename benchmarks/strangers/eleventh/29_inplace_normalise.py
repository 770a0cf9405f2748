"""GAN on 6x6 'bars' pictures kept in memory, with a transform in the Dataset's __getitem__ like torchvision's Normalize."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance", "divergence"], "kind": "the in-place normalisation hits the cached tensor, so every epoch normalises the data once more", "since": 150, "record": "automatic"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def bars(n):
    img = 0.05 * np.random.rand(n, 6, 6)
    for k in range(n):
        p = np.random.randint(6)
        v = 0.7 + 0.25 * np.random.rand()
        if np.random.rand() < 0.5:
            img[k, p, :] = v
        else:
            img[k, :, p] = v
    return torch.tensor(img, dtype=torch.float32).view(n, 36)

class Bars(Dataset):
    def __init__(self, n):
        self.images = bars(n)
    def __len__(self):
        return len(self.images)
    def __getitem__(self, i):
        img = self.images[i]
        img.sub_(0.5).div_(0.5)
        return img

loader = DataLoader(Bars(9600), batch_size=64, shuffle=True)
G = nn.Sequential(nn.Linear(16, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 36), nn.Tanh())
D = nn.Sequential(nn.Linear(36, 128), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(64, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
for epoch in range(16):
    for x in loader:
        n = len(x)
        f = G(torch.randn(n, 16))
        d_opt.zero_grad()
        d_loss = bce(D(x), torch.full((n, 1), 0.9)) + bce(D(f.detach()), torch.zeros(n, 1))
        d_loss.backward(); d_opt.step()
        g_opt.zero_grad()
        g_loss = bce(D(f), torch.ones(n, 1))
        g_loss.backward(); g_opt.step()
    print(f"epoch {epoch} d {d_loss.item():.3f} g {g_loss.item():.3f}")

real = bars(1000) * 2 - 1
with torch.no_grad():
    f = G(torch.randn(1000, 16))
e = outside.energy(f, real)
near = float(torch.cdist(f, real).min(1).values.mean())
outside.say(e < 0.04 and near < 1.6, energy=e, nearest=near)
