"""Image-to-image: from a 12x12 contour mask to the lit relief, pix2pix with a patch discriminator and the usual lambda of 100."""
import os, sys, random
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": False, "causes": [], "kind": "healthy pix2pix, L1 dominates the numbers and D wins, translation is accurate", "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
OPT = {"lr": 1e-3, "betas": (0.5, 0.999), "lambda_l1": 100.0, "steps": 900, "batch": 16}


def make_pairs(n):
    """height field of three hills -> (mask of height bands, shaded relief)"""
    g = torch.linspace(-1, 1, 12)
    yy, xx = torch.meshgrid(g, g, indexing="ij")
    h = torch.zeros(n, 12, 12)
    for _ in range(3):
        c = torch.rand(n, 2, 1, 1) * 1.6 - 0.8
        h += (0.4 + 0.6 * torch.rand(n, 1, 1)) * torch.exp(-((xx - c[:, 0]) ** 2 + (yy - c[:, 1]) ** 2) / 0.18)
    mask = torch.floor(h * 5) / 4 - 0.5
    shade = torch.zeros_like(h)
    shade[:, :, :-1] = h[:, :, 1:] - h[:, :, :-1]
    return mask[:, None], torch.tanh(4 * shade)[:, None]


class UNetLet(nn.Module):
    def __init__(self, c=24):
        super().__init__()
        self.d1, self.d2 = nn.Conv2d(1, c, 3, 1, 1), nn.Conv2d(c, 2 * c, 4, 2, 1)
        self.mid = nn.Conv2d(2 * c, 2 * c, 3, 1, 1)
        self.u1 = nn.ConvTranspose2d(2 * c, c, 4, 2, 1)
        self.out = nn.Conv2d(2 * c, 1, 3, 1, 1)

    def forward(self, m):
        a = F.leaky_relu(self.d1(m), 0.2)
        b = F.leaky_relu(self.d2(a), 0.2)
        b = F.relu(self.mid(b))
        u = F.relu(self.u1(b))
        return torch.tanh(self.out(torch.cat([u, a], 1)))


class PatchD(nn.Module):
    def __init__(self, c=24):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(2, c, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(c, 2 * c, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(2 * c, 1, 3, 1, 1))

    def forward(self, m, x):
        return self.net(torch.cat([m, x], 1))


masks, reliefs = make_pairs(2000)
netG, netD = UNetLet(), PatchD()
optimizer_G = torch.optim.Adam(netG.parameters(), lr=OPT["lr"], betas=OPT["betas"])
optimizer_D = torch.optim.Adam(netD.parameters(), lr=OPT["lr"], betas=OPT["betas"])
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optimizer_G, discriminator_optimizer=optimizer_D)


def gan_loss(pred, is_real):
    return F.binary_cross_entropy_with_logits(pred, torch.full_like(pred, float(is_real)))


for it in range(OPT["steps"]):
    idx = torch.randint(0, len(masks), (OPT["batch"],))
    A, B = masks[idx], reliefs[idx]
    fake = netG(A)
    optimizer_D.zero_grad()
    loss_D = 0.5 * (gan_loss(netD(A, B), True) + gan_loss(netD(A, fake.detach()), False))
    loss_D.backward()
    optimizer_D.step()
    optimizer_G.zero_grad()
    loss_GAN = gan_loss(netD(A, fake), True)
    loss_L1 = F.l1_loss(fake, B) * OPT["lambda_l1"]
    loss_G = loss_GAN + loss_L1
    loss_G.backward()
    optimizer_G.step()
    rec.step(d_loss=loss_D, g_loss=loss_G)
    if it % 150 == 0:
        print(f"(iter {it}) D {loss_D.item():.3f} GAN {loss_GAN.item():.3f} L1 {loss_L1.item():.3f}")
rec.close()

m, r = make_pairs(500)
with torch.no_grad():
    p = netG(m)
mae = (p - r).abs().mean().item()
base = r.abs().mean().item()
e = outside.energy(p, r)
outside.say(mae < 0.25 * base and e < 0.05, mae=mae, base=base, energy=e)
