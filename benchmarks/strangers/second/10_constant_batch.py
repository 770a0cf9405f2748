"""Digits with an MLP GAN, batches by next(iter(loader))."""
LABEL = {"sick": True, "causes": ["data_mismatch", "memorisation", "discriminator_overfitting"], "kind": "next(iter(loader)) without shuffle: the same batch every step", "since": 0, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset
from sklearn.linear_model import LogisticRegression

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
digits = load_digits()
order = digits.target.argsort(kind="stable")
X = torch.tensor(digits.data[order] / 8 - 1, dtype=torch.float32)
y = digits.target[order]
loader = DataLoader(TensorDataset(X), batch_size=100)
netG = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh())
netD = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
optG = torch.optim.Adam(netG.parameters(), lr=3e-4, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), lr=3e-4, betas=(0.5, 0.999))
for step in range(900):
    (x,) = next(iter(loader))
    fake = netG(torch.randn(len(x), 16))
    optD.zero_grad()
    lossD = F.softplus(-netD(x)).mean() + F.softplus(netD(fake.detach())).mean()
    lossD.backward()
    optD.step()
    optG.zero_grad()
    lossG = F.softplus(-netD(fake)).mean()
    lossG.backward()
    optG.step()
clf = LogisticRegression(max_iter=300).fit(X.numpy(), y)
with torch.no_grad():
    s = netG(torch.randn(1000, 16))
share = torch.bincount(torch.tensor(clf.predict(s.numpy())), minlength=10) / 1000
classes = int((share > 0.02).sum())
print(json.dumps({"outcome": {"classes": classes}, "well": classes >= 9}))
