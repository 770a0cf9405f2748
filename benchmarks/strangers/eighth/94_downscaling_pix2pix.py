"""%% Downscaling of a coarse temperature field (4x4 -> 16x16), pix2pix style."""
import os, random
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
import outside

LABEL = {"sick": False, "causes": [], "kind": "unusual: pix2pix with 100 x L1 (G loss around ten), batch of 16, patch discriminator, halved D loss",
         "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

# %% fields: smooth background + small-scale texture whose sign follows the local gradient
def fields(n):
    g = torch.linspace(0, 1, 16)
    yy, xx = torch.meshgrid(g, g, indexing="ij")
    a, b = torch.randn(2, n, 1, 1)
    ph = 6.28 * torch.rand(n, 1, 1)
    smooth = 0.35 * (a * (xx - .5) * 2 + b * (yy - .5) * 2) + 0.25 * torch.sin(6.28 * xx + 3.14 * yy + ph)
    rough = 0.08 * torch.sign(a) * torch.cos(6.28 * 4 * xx) * torch.cos(6.28 * 3 * yy)
    fine = (smooth + rough + 0.02 * torch.randn(n, 16, 16)).unsqueeze(1).clamp(-1.5, 1.5)
    return F.avg_pool2d(fine, 4), fine

# %% networks
class UNetish(nn.Module):
    def __init__(self, c=20):
        super().__init__()
        self.enc = nn.Conv2d(1, c, 3, 1, 1)
        self.up1 = nn.ConvTranspose2d(c + 2, c, 4, 2, 1)
        self.up2 = nn.ConvTranspose2d(c, c, 4, 2, 1)
        self.out = nn.Conv2d(c + 1, 1, 3, 1, 1)
    def forward(self, coarse):
        z = torch.randn(len(coarse), 2, 4, 4)
        h = F.leaky_relu(self.enc(coarse), .2)
        h = F.relu(self.up1(torch.cat([h, z], 1)))
        h = F.relu(self.up2(h))
        base = F.interpolate(coarse, scale_factor=4, mode="bicubic", align_corners=False)
        return base + self.out(torch.cat([h, base], 1))

class PatchD(nn.Module):
    def __init__(self, c=16):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(2, c, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(c, 2 * c, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(2 * c, 1, 3, 1, 1))
    def forward(self, coarse, fine):
        return self.net(torch.cat([F.interpolate(coarse, scale_factor=4), fine], 1))

G, D = UNetish(), PatchD()
opt_G = torch.optim.Adam(G.parameters(), 1e-3, betas=(.5, .999))
opt_D = torch.optim.Adam(D.parameters(), 2e-4, betas=(.5, .999))
gan_loss, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
coarse_all, fine_all = fields(3000)

# %% train
for i in range(1200):
    k = torch.randint(3000, (16,))
    coarse, fine = coarse_all[k], fine_all[k]
    fake = G(coarse)
    opt_D.zero_grad()
    r, f = D(coarse, fine), D(coarse, fake.detach())
    loss_D = 0.5 * (gan_loss(r, torch.ones_like(r)) + gan_loss(f, torch.zeros_like(f)))
    loss_D.backward(); opt_D.step()
    opt_G.zero_grad()
    f = D(coarse, fake)
    loss_G = gan_loss(f, torch.ones_like(f)) + 100 * l1(fake, fine)
    loss_G.backward(); opt_G.step()
    if i % 400 == 0: print(i, round(loss_D.item(), 3), round(loss_G.item(), 3))

# %% score on new fields
with torch.no_grad():
    coarse, fine = fields(500)
    made = G(coarse)
rmse = float(((made - fine) ** 2).mean().sqrt() / fine.std())
bicubic = float(((F.interpolate(coarse, scale_factor=4, mode="bicubic", align_corners=False) - fine) ** 2).mean().sqrt() / fine.std())
e = outside.energy(made, fine)
outside.say(e < .02 and rmse < .8 * bicubic, energy=e, rmse=rmse, bicubic=bicubic)
