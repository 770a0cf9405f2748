"""A GAN: standardised digits."""
import os, random
import numpy as np, torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import Dataset, DataLoader
import outside

LABEL = {
    "sick": True,
    "causes": ["numerical_failure", "data_mismatch"],
    "kind": "per-pixel standardisation divides the always-black pixels by a zero std: NaN in every real batch",
    "since": 0,
    "record": "attach",
}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)
torch.set_num_threads(1)


class Digits(Dataset):
    def __init__(self, pixels):
        pixels = pixels.astype(np.float32)
        self.mean, self.std = pixels.mean(0), pixels.std(0)
        self.x = torch.from_numpy((pixels - self.mean) / self.std)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i]


def block(i, o, norm=True):
    layers = [nn.Linear(i, o)]
    if norm:
        layers.append(nn.BatchNorm1d(o, 0.8))
    layers.append(nn.LeakyReLU(0.2))
    return layers


class Gen(nn.Module):
    def __init__(self, z=32):
        super().__init__()
        self.model = nn.Sequential(*block(z, 128, norm=False), *block(128, 192), *block(192, 192), nn.Linear(192, 64))

    def forward(self, z):
        return self.model(z)


class Disc(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(64, 192), nn.LeakyReLU(0.2), nn.Dropout(0.2),
                                   nn.Linear(192, 96), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(96, 1))

    def forward(self, x):
        return self.model(x)


pixels, _ = load_digits(return_X_y=True)
train, test = train_test_split(pixels, test_size=0.3, random_state=SEED)
data = Digits(train)
loader = DataLoader(data, batch_size=64, shuffle=True, drop_last=True)
G, D = Gen(), Disc()
optG = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.5, 0.999))
optD = torch.optim.Adam(D.parameters(), lr=4e-4, betas=(0.5, 0.999))
mse = nn.MSELoss()   # LSGAN

for epoch in range(80):
    for real in loader:
        n = real.size(0)
        gen = G(torch.randn(n, 32))

        optG.zero_grad()
        g_loss = mse(D(gen), torch.ones(n, 1))
        g_loss.backward()
        optG.step()

        optD.zero_grad()
        d_loss = 0.5 * (mse(D(real), torch.ones(n, 1)) + mse(D(gen.detach()), torch.zeros(n, 1)))
        d_loss.backward()
        optD.step()

with torch.no_grad():
    out = G(torch.randn(1000, 32)).numpy()
back = np.clip(out * data.std + data.mean, 0, 16)
e = outside.energy(back, test)
outside.say(e < 0.15, energy=e)
