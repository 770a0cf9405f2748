"""A small DCGAN on the 8x8 digits with one-sided label smoothing."""
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "targets of 0.9 are made like the integer class labels and become 0: real and fake carry the same label", "since": 0, "record": "lines"}
import argparse, os, sys
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
import gandiag
import outside

p = argparse.ArgumentParser()
p.add_argument("out")
p.add_argument("--epochs", type=int, default=11)
p.add_argument("--nz", type=int, default=24)
p.add_argument("--smooth", type=float, default=0.9)
args = p.parse_args()
torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

images, classes = outside.digits()
loader = DataLoader(TensorDataset(images, classes), batch_size=32, shuffle=True, drop_last=True)

class Generator(nn.Module):
    def __init__(self, nz, ch=28):
        super().__init__()
        self.net = nn.Sequential(
            nn.ConvTranspose2d(nz, ch * 2, 2), nn.BatchNorm2d(ch * 2), nn.ReLU(),
            nn.ConvTranspose2d(ch * 2, ch, 4, 2, 1), nn.BatchNorm2d(ch), nn.ReLU(),
            nn.ConvTranspose2d(ch, 1, 4, 2, 1), nn.Tanh())
    def forward(self, z): return self.net(z.view(*z.shape, 1, 1))

class Discriminator(nn.Module):
    def __init__(self, ch=28):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, ch, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(ch, ch * 2, 4, 2, 1), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Flatten(), nn.Linear(ch * 2 * 16, 1))
    def forward(self, x): return self.net(x).flatten()

G, D = Generator(args.nz), Discriminator()
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=4e-4, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()

with gandiag.Recorder(args.out, generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d) as recorder:
    for epoch in range(args.epochs):
        for x, y in loader:
            real_target = torch.full_like(y, args.smooth).float()
            fake_target = torch.zeros_like(y).float()
            fake = G(torch.randn(len(x), args.nz))
            lr, lf = D(x), D(fake.detach())
            d_loss = criterion(lr, real_target) + criterion(lf, fake_target)
            opt_d.zero_grad(); d_loss.backward(); opt_d.step()
            g_loss = criterion(D(fake), real_target)
            opt_g.zero_grad(); g_loss.backward(); opt_g.step()
            recorder.step(d_loss=d_loss, g_loss=g_loss, real=x, fake=fake, real_logits=lr, fake_logits=lf)

with torch.no_grad():
    sample = G(torch.randn(1000, args.nz))
n, dist, _ = outside.digit_quality(sample)
e = outside.energy(sample, images[torch.randperm(len(images))[:1000]])
outside.say(n >= 8 and dist < 1.8 and e < 0.1, classes=n, distance=dist, energy=e)
