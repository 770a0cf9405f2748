"""pix2pix in miniature: from the outline of a blob (12x12) to its shaded filling, with a patch discriminator and L1."""
LABEL = {"sick": False, "causes": [], "kind": "the generator's loss is nearly all L1 (weight 100), there is no noise input, and D judges pairs in patches", "since": None, "record": "automatic"}

import os
import sys

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

LAMBDA_L1 = 100.0


def make_pairs(n):
    k = torch.arange(12.0) - 5.5
    y, x = torch.meshgrid(k, k, indexing="ij")
    cx, cy = torch.empty(2, n, 1, 1).uniform_(-1.5, 1.5)
    rx, ry = torch.empty(2, n, 1, 1).uniform_(2.0, 4.0)
    r = (((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2).sqrt()
    outline = 2 * torch.exp(-((r - 1) / 0.2) ** 2) - 1
    inside = torch.sigmoid(8 * (1 - r))
    shade = 0.6 - 0.25 * (x - cx) / rx - 0.25 * (y - cy) / ry
    fill = 2 * inside * shade.clamp(0, 1) - 1
    return outline.unsqueeze(1), fill.unsqueeze(1)


class UNet(nn.Module):
    def __init__(self, c=12):
        super().__init__()
        self.d1 = nn.Sequential(nn.Conv2d(1, c, 4, 2, 1), nn.LeakyReLU(0.2))
        self.d2 = nn.Sequential(nn.Conv2d(c, 2 * c, 4, 2, 1), nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2))
        self.mid = nn.Sequential(nn.Conv2d(2 * c, 2 * c, 3, 1, 1), nn.BatchNorm2d(2 * c), nn.ReLU())
        self.u2 = nn.Sequential(nn.ConvTranspose2d(4 * c, c, 4, 2, 1), nn.BatchNorm2d(c), nn.ReLU())
        self.u1 = nn.Sequential(nn.ConvTranspose2d(2 * c, c, 4, 2, 1), nn.ReLU())
        self.out = nn.Sequential(nn.Conv2d(c + 1, 1, 3, 1, 1), nn.Tanh())

    def forward(self, a):
        h1 = self.d1(a)
        h2 = self.d2(h1)
        m = self.mid(h2)
        u = self.u2(torch.cat([m, h2], 1))
        u = self.u1(torch.cat([u, h1], 1))
        return self.out(torch.cat([u, a], 1))


class PatchD(nn.Module):
    def __init__(self, c=12):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(2, c, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(c, 2 * c, 3, 1, 1), nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * c, 1, 3, 1, 1))

    def forward(self, a, b):
        return self.net(torch.cat([a, b], 1))


G, D = UNet(), PatchD()
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))
bce, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
loader = DataLoader(TensorDataset(*make_pairs(2048)), batch_size=32, shuffle=True)
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)

n_epochs = 18
for epoch in range(n_epochs):
    if epoch >= n_epochs // 2:  # the usual linear decay in the second half
        for o, base in ((opt_g, 1e-3), (opt_d, 2e-4)):
            for group in o.param_groups:
                group["lr"] = base * (n_epochs - epoch) / (n_epochs / 2 + 1)
    for a, b in loader:
        fake_b = G(a)
        pred_fake = D(a, fake_b.detach())
        pred_real = D(a, b)
        loss_d = 0.5 * (bce(pred_fake, torch.zeros_like(pred_fake)) + bce(pred_real, torch.ones_like(pred_real)))
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()

        pred_fake = D(a, fake_b)
        loss_gan = bce(pred_fake, torch.ones_like(pred_fake))
        loss_l1 = LAMBDA_L1 * l1(fake_b, b)
        opt_g.zero_grad()
        (loss_gan + loss_l1).backward()
        opt_g.step()
    if epoch % 4 == 0:
        print(f"epoch {epoch} D {loss_d.item():.3f} G_GAN {loss_gan.item():.3f} G_L1 {loss_l1.item():.3f}")
recorder.close()

G.eval()
with torch.no_grad():
    a, b = make_pairs(1000)
    fake = G(a)
mae = (fake - b).abs().mean().item()
rms = (fake - b).square().mean().sqrt().item() / b.std().item()
e = outside.energy(fake, b)
outside.say(mae < 0.04 and rms < 0.12 and e < 0.02, mae=mae, relative_rms=rms, energy=e)
