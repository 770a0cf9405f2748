"""8x8 digits by a small DCGAN, with augmentation before D."""
LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault", "discriminator_dominance"], "kind": "random shift and erasing on the reals only", "since": 0, "record": "attach"}
import json, os
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

class RandomShift:
    def __init__(self, k): self.k = k
    def __call__(self, img):
        dy, dx = torch.randint(-self.k, self.k + 1, (2,)).tolist()
        return torch.roll(img, (dy, dx), (-2, -1))

class RandomErasing:
    def __init__(self, p, size): self.p, self.size = p, size
    def __call__(self, img):
        if torch.rand(()) < self.p:
            y, x = torch.randint(0, 9 - self.size, (2,)).tolist()
            img = img.clone()
            img[:, y:y + self.size, x:x + self.size] = 1.0
        return img

class Digits(Dataset):
    def __init__(self, transforms=()):
        self.x = torch.tensor(load_digits().images, dtype=torch.float32).unsqueeze(1) / 8 - 1
        self.transforms = transforms
    def __len__(self): return len(self.x)
    def __getitem__(self, i):
        img = self.x[i]
        for t in self.transforms:
            img = t(img)
        return img

ds = Digits([RandomShift(2), RandomErasing(0.7, 4)])
loader = DataLoader(ds, batch_size=48, shuffle=True, drop_last=True)

netG = nn.Sequential(nn.ConvTranspose2d(24, 48, 4), nn.BatchNorm2d(48), nn.ReLU(True),
                     nn.ConvTranspose2d(48, 1, 4, 2, 1), nn.Tanh())
netD = nn.Sequential(nn.Conv2d(1, 24, 4, 2, 1), nn.LeakyReLU(0.2, True), nn.Flatten(), nn.Linear(384, 64), nn.LeakyReLU(0.2, True), nn.Linear(64, 1))
optG = torch.optim.Adam(netG.parameters(), lr=2e-3, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()

it = 0
for epoch in range(16):
    for real in loader:
        b = real.size(0)
        netD.zero_grad()
        noise = torch.randn(b, 24, 1, 1)
        fake = netG(noise)
        errD = criterion(netD(real).view(-1), torch.full((b,), 0.9)) + criterion(netD(fake.detach()).view(-1), torch.zeros(b))
        errD.backward()
        optD.step()
        netG.zero_grad()
        errG = criterion(netD(fake).view(-1), torch.ones(b))
        errG.backward()
        optG.step()
        it += 1
    if epoch % 7 == 0:
        print(f"[{epoch}] {errD.item():.3f} {errG.item():.3f}")

def energy(a, b):
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

with torch.no_grad():
    s = netG(torch.randn(1000, 24, 1, 1))
e = energy(s, ds.x[torch.randperm(len(ds.x))])
print(json.dumps({"outcome": {"energy_to_digits": e, "steps": it}, "well": e < 0.12}))
