"""Digits balanced by a WeightedRandomSampler that was given one weight a class, not one a sample."""
LABEL = {"sick": True, "causes": ["data_mismatch", "memorisation", "discriminator_overfitting"], "kind": "sampler draws only the first ten images", "since": 0, "record": "lines"}
import json, os, sys
import torch, gandiag
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler
from sklearn.datasets import load_digits
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
d = load_digits()
images, labels = torch.tensor(d.images / 8 - 1, dtype=torch.float32)[:, None], torch.tensor(d.target)
counts = torch.bincount(labels)
sampler = WeightedRandomSampler(1.0 / counts.float(), num_samples=len(labels), replacement=True)
loader = DataLoader(TensorDataset(images, labels), batch_size=40, sampler=sampler, drop_last=True)

class ConditionalGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(10, 8)
        self.net = nn.Sequential(nn.Linear(24, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 256), nn.ReLU(), nn.Unflatten(1, (16, 4, 4)), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
    def forward(self, z, y):
        return self.net(torch.cat([z, self.emb(y)], 1))
class ConditionalCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(10, 64)
        self.net = nn.Sequential(nn.Conv2d(2, 16, 4, 2, 1), nn.LeakyReLU(.2), nn.Flatten(), nn.Linear(256, 96), nn.LeakyReLU(.2), nn.Linear(96, 1))
    def forward(self, x, y):
        return self.net(torch.cat([x, self.emb(y).view(-1, 1, 8, 8)], 1))

netG, netD = ConditionalGenerator(), ConditionalCritic()
optG, optD = torch.optim.Adam(netG.parameters(), 1e-3, betas=(.5, .999)), torch.optim.Adam(netD.parameters(), 1e-3, betas=(.5, .999))
bce = nn.BCEWithLogitsLoss()
one, zero = torch.ones(40, 1), torch.zeros(40, 1)
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG, discriminator_optimizer=optD)
for epoch in range(13):
    for x, y in loader:
        f = netG(torch.randn(40, 16), y)
        optD.zero_grad()
        ld = bce(netD(x, y), one) + bce(netD(f.detach(), y), zero)
        ld.backward(); optD.step()
        optG.zero_grad()
        lg = bce(netD(f, y), one)
        lg.backward(); optG.step()
        rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad():
    y = torch.arange(10).repeat(100)
    s = netG(torch.randn(1000, 16), y).flatten(1)
r = images.flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
e = float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
near = float(torch.cdist(s, r[:10]).min(1)[0].mean() / torch.cdist(r[10:], r[:10]).min(1)[0].mean())
print(json.dumps({"outcome": {"energy": e, "nn_ratio_to_first_ten": near}, "well": e < 0.08 and near > 0.7}))
