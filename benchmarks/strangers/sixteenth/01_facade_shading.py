"""pix2pix for little floor plans: label map in, shaded rendering out (L1 weight 100, PatchGAN, no noise input)."""
LABEL = {"sick": False, "causes": [], "kind": "pix2pix without any noise: the 100*L1 term is larger than the adversarial term to the end, the discriminator is near chance, and the same input always gives the same picture - as intended", "since": None, "record": "attach"}

import os
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
np.random.seed(SEED)
torch.set_num_threads(1)

LAMBDA_L1 = 100.0
SIZE = 16


def make_pair(rng):
    """label map (3 channels: wall, floor, window) and the rendering with a light from the upper left"""
    lab = np.zeros((3, SIZE, SIZE), "float32")
    lab[1] = 1
    for _ in range(rng.randint(1, 4)):
        x, y = rng.randint(0, SIZE - 5, 2)
        w, h = rng.randint(3, 7, 2)
        k = rng.choice([0, 2])
        lab[:, y:y + h, x:x + w] = 0
        lab[k, y:y + h, x:x + w] = 1
    tone = lab[0] * -0.6 + lab[1] * 0.1 + lab[2] * 0.75
    solid = lab[0]
    shadow = np.zeros_like(solid)
    shadow[1:, 1:] = solid[:-1, :-1]
    shadow = shadow * (1 - solid)
    return lab * 2 - 1, (tone - 0.5 * shadow)[None]


rng = np.random.RandomState(SEED)
pairs = [make_pair(rng) for _ in range(1500)]
A = torch.tensor(np.stack([p[0] for p in pairs]))
B = torch.tensor(np.stack([p[1] for p in pairs]), dtype=torch.float32)
train_loader = DataLoader(TensorDataset(A[:1200], B[:1200]), batch_size=32, shuffle=True, drop_last=True)


class UNet(nn.Module):
    def __init__(self, c=24):
        super().__init__()
        self.d1 = nn.Sequential(nn.Conv2d(3, c, 4, 2, 1), nn.LeakyReLU(0.2))
        self.d2 = nn.Sequential(nn.Conv2d(c, 2 * c, 4, 2, 1), nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2))
        self.u2 = nn.Sequential(nn.ConvTranspose2d(2 * c, c, 4, 2, 1), nn.BatchNorm2d(c), nn.ReLU())
        self.u1 = nn.Sequential(nn.ConvTranspose2d(2 * c, c, 4, 2, 1), nn.ReLU())
        self.out = nn.Conv2d(c + 3, 1, 3, 1, 1)

    def forward(self, a):
        e1 = self.d1(a)
        e2 = self.d2(e1)
        u = self.u2(e2)
        u = self.u1(torch.cat([u, e1], 1))
        return torch.tanh(self.out(torch.cat([u, a], 1)))


class PatchD(nn.Module):
    def __init__(self, c=16):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(4, c, 4, 2, 1), nn.LeakyReLU(0.2),
                                 nn.Conv2d(c, 2 * c, 4, 2, 1), nn.LeakyReLU(0.2),
                                 nn.Conv2d(2 * c, 1, 3, 1, 1))

    def forward(self, a, b):
        return self.net(torch.cat([a, b], 1))


netG, netD = UNet(), PatchD()
for net in (netG, netD):
    for m in net.modules():
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.xavier_normal_(m.weight)
optG = torch.optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.999))
sched = torch.optim.lr_scheduler.LambdaLR(optG, lambda e: min(1.0, 2 * (1 - e / 20)))
gan, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()

for epoch in range(20):
    for a, b in train_loader:
        fake = netG(a)
        # D (halved objective as in the paper)
        pr, pf = netD(a, b), netD(a, fake.detach())
        lossD = 0.5 * (gan(pr, torch.ones_like(pr)) + gan(pf, torch.zeros_like(pf)))
        optD.zero_grad()
        lossD.backward()
        optD.step()
        # G
        pf = netD(a, fake)
        loss_gan = gan(pf, torch.ones_like(pf))
        loss_l1 = LAMBDA_L1 * l1(fake, b)
        lossG = loss_gan + loss_l1
        optG.zero_grad()
        lossG.backward()
        optG.step()
    sched.step()
    if epoch % 3 == 0:
        print(f"epoch {epoch}: D {lossD.item():.3f} G_gan {loss_gan.item():.3f} G_L1 {loss_l1.item():.3f}")

netG.eval()
with torch.no_grad():
    out = netG(A[1200:])
mae = (out - B[1200:]).abs().mean().item()
e = outside.energy(out, B[1200:])
outside.say(mae < 0.05 and e < 0.02, mae=mae, energy=e)
