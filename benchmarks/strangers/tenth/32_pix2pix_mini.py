"""pix2pix in miniature: outline -> filled shape on 12 x 12 pixels, U-Net generator, patch discriminator."""
LABEL = {"sick": False, "causes": [], "kind": "pix2pix with 100 * L1: G's loss is large and ruled by the L1 term", "since": None, "record": "automatic"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


def make_pairs(n):
    A, B = np.full((n, 1, 12, 12), -1.0), np.full((n, 1, 12, 12), -1.0)
    for i in range(n):
        h, w = np.random.randint(4, 9, 2)
        y, x = np.random.randint(0, 12 - h), np.random.randint(0, 12 - w)
        B[i, 0, y:y + h, x:x + w] = np.linspace(-0.2, 0.9, h)[:, None]
        A[i, 0, y:y + h, x:x + w] = 1
        A[i, 0, y + 1:y + h - 1, x + 1:x + w - 1] = -1
    B += 0.05 * np.random.randn(*B.shape)
    return torch.tensor(A, dtype=torch.float32), torch.tensor(B.clip(-1, 1), dtype=torch.float32)


class Down(nn.Module):
    def __init__(self, i, o, norm=True):
        super().__init__()
        self.conv = nn.Conv2d(i, o, 4, 2, 1, bias=not norm)
        self.norm = nn.InstanceNorm2d(o, affine=True) if norm else nn.Identity()

    def forward(self, x):
        return nn.functional.leaky_relu(self.norm(self.conv(x)), 0.2)


class UNet(nn.Module):
    def __init__(self, ch=16):
        super().__init__()
        self.d1, self.d2 = Down(1, ch, norm=False), Down(ch, 2 * ch)
        self.u2 = nn.ConvTranspose2d(2 * ch, ch, 4, 2, 1)
        self.u1 = nn.ConvTranspose2d(2 * ch, ch, 4, 2, 1)
        self.last = nn.Conv2d(ch + 1, 1, 3, 1, 1)
        self.drop = nn.Dropout(0.1)

    def forward(self, a):
        e1 = self.d1(a)
        e2 = self.d2(e1)
        h = torch.relu(self.drop(self.u2(e2)))
        h = torch.relu(self.u1(torch.cat([h, e1], 1)))
        return torch.tanh(self.last(torch.cat([h, a], 1)))


class PatchD(nn.Module):
    def __init__(self, ch=16):
        super().__init__()
        self.net = nn.Sequential(Down(2, ch, norm=False), nn.Conv2d(ch, 2 * ch, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(2 * ch, 1, 3, 1, 1))

    def forward(self, a, b):
        return self.net(torch.cat([a, b], 1))


A, B = make_pairs(1200)
netG, netD = UNet(), PatchD()
optG = torch.optim.Adam(netG.parameters(), lr=2e-3, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
gan = nn.BCEWithLogitsLoss()
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG, discriminator_optimizer=optD, automatic=True)
lambda_l1 = 100.0
for epoch in range(10):
    for j in torch.randperm(len(A)).split(24):
        a, b = A[j], B[j]
        fake = netG(a)
        p_real, p_fake = netD(a, b), netD(a, fake.detach())
        loss_D = 0.5 * (gan(p_real, torch.ones_like(p_real)) + gan(p_fake, torch.zeros_like(p_fake)))
        optD.zero_grad(); loss_D.backward(); optD.step()
        p = netD(a, fake)
        loss_G = gan(p, torch.ones_like(p)) + lambda_l1 * (fake - b).abs().mean()
        optG.zero_grad(); loss_G.backward(); optG.step()
    if epoch % 5 == 0:
        print("epoch", epoch, "D %.3f G %.3f" % (loss_D.item(), loss_G.item()))
rec.close()

netG.eval()
a, b = make_pairs(500)
with torch.no_grad():
    out = netG(a)
l1 = (out - b).abs().mean().item()
e = outside.energy(out, b)
outside.say(l1 < 0.12 and e < 0.08, l1=l1, energy=e, l1_of_input=(a - b).abs().mean().item())
