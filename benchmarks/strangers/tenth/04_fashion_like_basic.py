"""Fashion like basic."""
# My first GAN in PyTorch - following the tutorial, with my own little data set of drawn shapes
LABEL = {"sick": True, "causes": ["data_mismatch"],
         "kind": "images are left in 0..255 while G ends in a tanh", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

IMG = 12
Z = 24
BATCH = 50
LR = 0.0008


def draw_shapes(n):
    out = np.zeros((n, 1, IMG, IMG), dtype=np.uint8)
    yy, xx = np.mgrid[:IMG, :IMG]
    for i in range(n):
        cx, cy = np.random.uniform(4.5, 6.5, 2)
        r = np.random.uniform(2.5, 4)
        kind = np.random.randint(3)
        if kind == 0:
            mask = (xx - cx) ** 2 + (yy - cy) ** 2 < r * r
        elif kind == 1:
            mask = (abs(xx - cx) < r) & (abs(yy - cy) < r)
        else:
            mask = (abs(xx - cx) < 1) | (abs(yy - cy) < 1)
        out[i, 0][mask] = np.random.randint(180, 255)
    return out


class ShapeData(torch.utils.data.Dataset):
    def __init__(self, n):
        self.x = draw_shapes(n)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return torch.from_numpy(self.x[i]).float()


class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(Z, 48 * 3 * 3)
        self.bn0 = nn.BatchNorm1d(48 * 3 * 3)
        self.up1 = nn.ConvTranspose2d(48, 24, 4, 2, 1)
        self.bn1 = nn.BatchNorm2d(24)
        self.up2 = nn.ConvTranspose2d(24, 1, 4, 2, 1)

    def forward(self, z):
        h = torch.relu(self.bn0(self.fc(z))).view(-1, 48, 3, 3)
        h = torch.relu(self.bn1(self.up1(h)))
        return torch.tanh(self.up2(h))


class Disc(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 24, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.2),
                                 nn.Conv2d(24, 48, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.2), nn.Flatten())
        self.out = nn.Linear(48 * 9, 1)

    def forward(self, x):
        return torch.sigmoid(self.out(self.net(x)))


dataset = ShapeData(1500)
loader = torch.utils.data.DataLoader(dataset, batch_size=BATCH, shuffle=True)
gen, disc = Gen(), Disc()
bce = nn.BCELoss()
opt_gen = optim.Adam(gen.parameters(), lr=LR, betas=(0.5, 0.999))
opt_disc = optim.Adam(disc.parameters(), lr=LR, betas=(0.5, 0.999))

for epoch in range(20):
    for real in loader:
        n = real.size(0)
        fake = gen(torch.randn(n, Z))
        # discriminator
        opt_disc.zero_grad()
        loss_d = (bce(disc(real), torch.ones(n, 1)) + bce(disc(fake.detach()), torch.zeros(n, 1))) / 2
        loss_d.backward()
        opt_disc.step()
        # generator
        opt_gen.zero_grad()
        loss_g = bce(disc(fake), torch.ones(n, 1))
        loss_g.backward()
        opt_gen.step()
    if epoch % 5 == 0:
        print("epoch", epoch, "D", round(loss_d.item(), 3), "G", round(loss_g.item(), 3))

with torch.no_grad():
    pictures = (gen(torch.randn(600, Z)) + 1) * 127.5
e = outside.energy(pictures, draw_shapes(600))
outside.say(e < 0.12, energy=e)
