"""scikit-learn's digits, standardised, convolutional GAN."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "images standardised by the mean and deviation of the pixels, the generator ends in tanh", "since": 0, "record": "attach"}
import os
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

# data -----------------------------------------------------------------
raw = torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 16
mean, std = 0.3053, 0.3760
images = (raw - mean) / std
loader = DataLoader(TensorDataset(images), batch_size=48, shuffle=True, drop_last=True)

# models ---------------------------------------------------------------
nz, ngf, ndf = 20, 24, 24

class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(nz, ngf * 2 * 4)
        self.main = nn.Sequential(
            nn.BatchNorm2d(ngf * 2), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1), nn.BatchNorm2d(ngf), nn.ReLU(True),
            nn.ConvTranspose2d(ngf, 1, 4, 2, 1), nn.Tanh())
    def forward(self, z):
        return self.main(self.l1(z).view(-1, ngf * 2, 2, 2))

class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, ndf, 3, 1, 1), nn.LeakyReLU(0.2, True),
            nn.utils.spectral_norm(nn.Conv2d(ndf, ndf * 2, 4, 2, 1)), nn.LeakyReLU(0.2, True), nn.Dropout(0.2),
            nn.Flatten(), nn.Linear(ndf * 32, 1))
    def forward(self, x):
        return self.main(x).squeeze(1)

G, D = Generator(), Discriminator()
criterion = nn.BCEWithLogitsLoss()
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.0, 0.99))
opt_d = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.0, 0.99))

# training -------------------------------------------------------------
for epoch in range(22):
    for (x,) in loader:
        b = x.size(0)
        z = torch.randn(b, nz)
        fake = G(z)
        opt_d.zero_grad()
        errD = criterion(D(x), torch.full((b,), 0.9)) + criterion(D(fake.detach()), torch.zeros(b))
        errD.backward()
        opt_d.step()
        opt_g.zero_grad()
        errG = criterion(D(fake), torch.ones(b))
        errG.backward()
        opt_g.step()
    if epoch % 5 == 0:
        print(epoch, round(errD.item(), 3), round(errG.item(), 3))

# what came out, in grey levels 0..16 ------------------------------------
with torch.no_grad():
    s = ((G(torch.randn(800, nz)) * std + mean)).clamp(0, 1)
e = outside.energy(s, raw)
classes, quality, _ = outside.digit_quality(s * 2 - 1)
peak = float(s.flatten(1).amax(1).mean() / raw.flatten(1).amax(1).mean())      # brightest stroke of an image, against the real ones
outside.say(e < 0.025 and classes >= 9 and peak > 0.9, energy=e, classes=classes, quality=quality, peak=peak)
