"""pix2pix-like: coarse 4x4 mosaics of drawn bars and rings back to 16x16 images, U-Net, patch D, L1 weight 50."""
LABEL = {"sick": False, "causes": [], "kind": "sound pix2pix, L1 dominates, dropout as noise", "since": None, "record": "automatic"}
import json, os, sys
import torch, gandiag
from torch import nn
import torch.nn.functional as F
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

def draw(n):
    g = torch.arange(16.) - 7.5
    yy, xx = torch.meshgrid(g, g, indexing="ij")
    t = torch.rand(n, 1, 1) * 3.1416
    o = torch.randn(n, 2, 1, 1) * 2
    bar = 1.5 - ((xx - o[:, 0]) * t.cos() + (yy - o[:, 1]) * t.sin()).abs()
    ring = 1.2 - (((xx - o[:, 0]) ** 2 + (yy - o[:, 1]) ** 2).sqrt() - 4).abs()
    which = (torch.rand(n, 1, 1) < .5).float()
    return torch.tanh(2 * (which * bar + (1 - which) * ring))[:, None]

def pair(n):
    b = draw(n)
    return F.interpolate(F.avg_pool2d(b, 4), scale_factor=4), b

class UNet(nn.Module):
    def __init__(self, w=12):
        super().__init__()
        self.d1 = nn.Conv2d(1, w, 4, 2, 1)
        self.d2 = nn.Sequential(nn.LeakyReLU(.2), nn.Conv2d(w, 2 * w, 4, 2, 1), nn.BatchNorm2d(2 * w))
        self.d3 = nn.Sequential(nn.LeakyReLU(.2), nn.Conv2d(2 * w, 2 * w, 4, 2, 1))
        self.u3 = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * w, 2 * w, 4, 2, 1), nn.BatchNorm2d(2 * w), nn.Dropout(.2))
        self.u2 = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(4 * w, w, 4, 2, 1), nn.BatchNorm2d(w))
        self.u1 = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * w, 1, 4, 2, 1), nn.Tanh())
    def forward(self, x):
        a = self.d1(x); b = self.d2(a); c = self.d3(b)
        y = torch.cat([self.u3(c), b], 1)
        return self.u1(torch.cat([self.u2(y), a], 1))

netG = UNet()
netD = nn.Sequential(nn.Conv2d(2, 16, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(16, 24, 4, 2, 1), nn.BatchNorm2d(24), nn.LeakyReLU(.2), nn.Conv2d(24, 1, 3, 1, 1))
oG = torch.optim.Adam(netG.parameters(), 1.5e-3, betas=(.5, .999)); oD = torch.optim.Adam(netD.parameters(), 2e-4, betas=(.5, .999))
gan_loss = lambda p, t: F.binary_cross_entropy_with_logits(p, torch.full_like(p, float(t)))
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=oG, discriminator_optimizer=oD, automatic=True)
for step in range(350):
    real_A, real_B = pair(16)
    fake_B = netG(real_A)
    oD.zero_grad()
    loss_D = .5 * (gan_loss(netD(torch.cat((real_A, fake_B), 1).detach()), 0) + gan_loss(netD(torch.cat((real_A, real_B), 1)), 1))
    loss_D.backward(); oD.step()
    oG.zero_grad()
    loss_G = gan_loss(netD(torch.cat((real_A, fake_B), 1)), 1) + 50 * F.l1_loss(fake_B, real_B)
    loss_G.backward(); oG.step()
rec.close()
a, b = pair(500)
with torch.no_grad():
    f = netG(a)
err, base = float(F.l1_loss(f, b)), float(F.l1_loss(a, b))
print(json.dumps({"outcome": {"l1": err, "l1_of_input": base}, "well": err < 0.5 * base}))
