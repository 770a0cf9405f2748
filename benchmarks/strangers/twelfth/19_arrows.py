"""Arrow glyphs 8x8 in four directions, tanh conv generator; loss recipe taken from a pix2pix tutorial."""
LABEL = {"sick": True, "causes": ["objective_fault", "mode_collapse", "stagnation"], "kind": "100 x L1 to a random real image with no pairing outweighs the adversarial term: one grey median glyph", "since": 0, "record": "attach"}
import os, random
import numpy as np, torch
import torch.nn as nn
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

BASE = np.array(["...##...", "..####..", ".######.", "########", "...##...", "...##...", "...##...", "...##..."])
base = torch.tensor([[1.0 if c == "#" else -1.0 for c in row] for row in BASE])


def arrows(n):
    k = torch.randint(4, (n,))
    x = torch.stack([torch.rot90(base, int(j)) for j in range(4)])[k]
    x = x * (0.7 + 0.3 * torch.rand(n, 1, 1)) + 0.05 * torch.randn(n, 8, 8)
    return x.clamp(-1, 1).unsqueeze(1)


class Gen(nn.Module):
    def __init__(self, nz=12):
        super().__init__()
        self.fc = nn.Linear(nz, 32 * 4)
        self.conv = nn.Sequential(nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 24, 4, 2, 1), nn.BatchNorm2d(24), nn.ReLU(),
                                  nn.ConvTranspose2d(24, 1, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        return self.conv(self.fc(z).view(-1, 32, 2, 2))


class Disc(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Dropout(0.2), nn.Linear(128, 1))

    def forward(self, x):
        return self.net(x)


generator, discriminator = Gen(), Disc()
criterion_gan, criterion_l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
lambda_l1 = 100.0
optimizer_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=4e-4, betas=(0.5, 0.999))
for step in range(1800):
    real = arrows(48)
    fake = generator(torch.randn(48, 12))
    optimizer_d.zero_grad()
    pr, pf = discriminator(real), discriminator(fake.detach())
    loss_d = 0.5 * (criterion_gan(pr, torch.ones_like(pr)) + criterion_gan(pf, torch.zeros_like(pf)))
    loss_d.backward()
    optimizer_d.step()
    optimizer_g.zero_grad()
    pf = discriminator(fake)
    loss_g = criterion_gan(pf, torch.ones_like(pf)) + lambda_l1 * criterion_l1(fake, real)
    loss_g.backward()
    optimizer_g.step()

generator.eval()
with torch.no_grad():
    s = generator(torch.randn(800, 12))
centres = torch.stack([torch.rot90(base, j) for j in range(4)]) * 0.85
m, q = outside.modes(s, centres, 3.0)
outside.say(m == 4 and q > 0.6, modes=m, near=q, energy=outside.energy(s, arrows(800)))
