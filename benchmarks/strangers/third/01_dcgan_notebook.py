"""DCGAN on sklearn digits (8x8), notebook-like top-level code."""
LABEL = {"sick": False, "causes": [], "kind": "sound DCGAN, BCE, spectral norm", "since": None, "record": "attach"}
import json, os
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
sn = nn.utils.spectral_norm
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
# %% data
digits = load_digits()
images = torch.tensor(digits.images / 8.0 - 1.0, dtype=torch.float32).unsqueeze(1)
loader = DataLoader(TensorDataset(images), batch_size=64, shuffle=True, drop_last=True)
# %% nets
nz, ngf, ndf = 24, 16, 24
netG = nn.Sequential(
    nn.ConvTranspose2d(nz, ngf * 2, 2, 1, 0, bias=False), nn.BatchNorm2d(ngf * 2), nn.ReLU(True),
    nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf), nn.ReLU(True),
    nn.ConvTranspose2d(ngf, 1, 4, 2, 1, bias=False), nn.Tanh())
netD = nn.Sequential(
    sn(nn.Conv2d(1, ndf, 4, 2, 1)), nn.LeakyReLU(0.2, True),
    nn.Flatten(), sn(nn.Linear(ndf * 16, 128)), nn.LeakyReLU(0.2, True),
    sn(nn.Linear(128, 1)), nn.Sigmoid())
criterion = nn.BCELoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=3e-3, betas=(0.5, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.999))
# %% training
for epoch in range(22):
    for i, (data,) in enumerate(loader):
        netD.zero_grad()
        b = data.size(0)
        label = torch.full((b,), 0.9)
        output = netD(data).view(-1)
        errD_real = criterion(output, label)
        errD_real.backward()
        noise = torch.randn(b, nz, 1, 1)
        fake = netG(noise)
        label.fill_(0.0)
        output = netD(fake.detach()).view(-1)
        errD_fake = criterion(output, label)
        errD_fake.backward()
        optimizerD.step()
        netG.zero_grad()
        label.fill_(1.0)
        output = netD(fake).view(-1)
        errG = criterion(output, label)
        errG.backward()
        optimizerG.step()
    if epoch % 10 == 0:
        print(f"[{epoch}/22] Loss_D: {(errD_real + errD_fake).item():.3f} Loss_G: {errG.item():.3f}")
# %% how good?
with torch.no_grad():
    s = netG(torch.randn(1000, nz, 1, 1)).flatten(1)
r = images.flatten(1)
clf = LogisticRegression(max_iter=300).fit(r.numpy(), digits.target)
share = np.bincount(clf.predict(s.numpy()), minlength=10) / 1000
dist = lambda a, b: torch.cdist(a, b).mean()
energy = float((2 * dist(s, r) - dist(s, s) - dist(r, r)) / dist(r, r))
print(json.dumps({"outcome": {"energy": energy, "rarest": float(share.min())}, "well": bool(energy < 0.08 and share.min() > 0.01)}))
