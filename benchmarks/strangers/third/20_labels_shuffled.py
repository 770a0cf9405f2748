"""Projection cGAN on digits, labels and images shuffled apart by the loader."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "images shuffled each epoch, their labels not: labels carry nothing", "since": 0, "record": "attach"}
import json, os
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
torch.set_num_threads(1)
sn = nn.utils.spectral_norm
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
d = load_digits()
X, Y = torch.tensor(d.images / 8 - 1, dtype=torch.float32)[:, None], torch.tensor(d.target)

def epoch_of(x, y, size):
    x = x[torch.randperm(len(x))]
    for i in range(0, len(x) - size + 1, size):
        yield x[i:i + size], y[i:i + size]

class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.lab = nn.Embedding(10, 24)
        self.fc = nn.Linear(48, 128)
        self.conv = nn.Sequential(nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
    def forward(self, z, y):
        return self.conv(self.fc(torch.cat((z, self.lab(y)), 1)).view(-1, 32, 2, 2))
class Dis(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(sn(nn.Conv2d(1, 24, 4, 2, 1)), nn.LeakyReLU(.2), nn.Flatten(), sn(nn.Linear(384, 128)), nn.LeakyReLU(.2))
        self.out, self.emb = sn(nn.Linear(128, 1)), sn(nn.Embedding(10, 128))
    def forward(self, x, y):
        h = self.conv(x)
        return self.out(h) + (self.emb(y) * h).sum(1, keepdim=True)

G, D = Gen(), Dis()
og, od = torch.optim.Adam(G.parameters(), 1e-3, (.5, .999)), torch.optim.Adam(D.parameters(), 3e-3, (.5, .999))
for epoch in range(8):
    for x, y in epoch_of(X, Y, 44):
        f = G(torch.randn(44, 24), y)
        od.zero_grad()
        ld = F.softplus(-D(x, y)).mean() + F.softplus(D(f.detach(), y)).mean()
        ld.backward(); od.step()
        og.zero_grad()
        lg = F.softplus(-D(f, y)).mean()
        lg.backward(); og.step()
with torch.no_grad():
    y = torch.arange(10).repeat(100); s = G(torch.randn(1000, 24), y).flatten(1)
r = X.flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
acc = KNeighborsClassifier(5).fit(r.numpy(), Y.numpy()).score(s.numpy(), y.numpy())
e = float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
print(json.dumps({"outcome": {"label_accuracy": acc, "energy": e}, "well": acc > 0.7 and e < 0.08}))
