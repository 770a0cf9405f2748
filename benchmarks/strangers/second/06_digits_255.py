"""sklearn digits with a small DCGAN whose output is a tanh."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance"], "kind": "reals left in 0..16, generator ends in tanh", "since": 0, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
X = torch.tensor(load_digits().images, dtype=torch.float32).unsqueeze(1)
loader = DataLoader(TensorDataset(X), batch_size=64, shuffle=True, drop_last=True)
class netG_(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.ConvTranspose2d(16, 32, 2), nn.BatchNorm2d(32), nn.ReLU(True), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(True), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
    def forward(self, z): return self.main(z)
class netD_(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(128, 1))
    def forward(self, x): return self.main(x).view(-1)
netG, netD = netG_(), netD_()
optG = torch.optim.Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()
for epoch in range(18):
    for (x,) in loader:
        b = x.size(0)
        netD.zero_grad()
        errD_real = criterion(netD(x), torch.ones(b)); errD_real.backward()
        fake = netG(torch.randn(b, 16, 1, 1))
        errD_fake = criterion(netD(fake.detach()), torch.zeros(b)); errD_fake.backward()
        optD.step()
        netG.zero_grad()
        errG = criterion(netD(fake), torch.ones(b)); errG.backward()
        optG.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(netG(torch.randn(800, 16, 1, 1)), X)
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.2}))
