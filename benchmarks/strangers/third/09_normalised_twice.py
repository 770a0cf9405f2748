"""Digits DCGAN whose transform normalises images that are already in [-1, 1]."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance"], "kind": "normalised twice: reals in [-3, 1], G ends in tanh", "since": 0, "record": "attach"}
import json, os
import torch
from torch import nn
from torch.utils.data import Dataset, DataLoader
from sklearn.datasets import load_digits
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

class Normalize:
    def __init__(self, mean, std):
        self.mean, self.std = mean, std
    def __call__(self, t):
        return (t - self.mean) / self.std

class Digits(Dataset):
    """digits scaled to [-1, 1]"""
    def __init__(self, transform=None):
        self.images = load_digits().images / 16 * 2 - 1
        self.transform = transform
    def __len__(self):
        return len(self.images)
    def __getitem__(self, i):
        t = torch.as_tensor(self.images[i], dtype=torch.float32).unsqueeze(0)
        return self.transform(t) if self.transform else t

train_set = Digits(transform=Normalize(0.5, 0.5))
loader = DataLoader(train_set, batch_size=64, shuffle=True, drop_last=True)
G = nn.Sequential(nn.Linear(24, 128), nn.Unflatten(1, (32, 2, 2)), nn.BatchNorm2d(32), nn.ReLU(),
                  nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
D = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(.2), nn.Flatten(), nn.Linear(128, 1))
g_opt = torch.optim.Adam(G.parameters(), 2e-3, betas=(.5, .999))
d_opt = torch.optim.Adam(D.parameters(), 1e-3, betas=(.5, .999))
bce = nn.BCEWithLogitsLoss()
for epoch in range(8):
    for real in loader:
        n = len(real)
        fake = G(torch.randn(n, 24))
        d_opt.zero_grad()
        d_loss = bce(D(real), torch.ones(n, 1)) + bce(D(fake.detach()), torch.zeros(n, 1))
        d_loss.backward()
        d_opt.step()
        g_opt.zero_grad()
        g_loss = bce(D(fake), torch.ones(n, 1))
        g_loss.backward()
        g_opt.step()
    if epoch % 8 == 0:
        print(epoch, d_loss.item(), g_loss.item())
plain = Digits()
r = torch.stack([plain[i] for i in range(len(plain))]).flatten(1)
with torch.no_grad():
    s = G(torch.randn(1000, 24)).flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
e = float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
print(json.dumps({"outcome": {"energy": e, "range_of_reals": [float(real.min()), float(real.max())]}, "well": e < 0.06}))
