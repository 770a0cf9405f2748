"""
pix2pix (U-Net + 70x70 -> small PatchGAN), label maps -> pictures, 16x16, three channels.
A label map holds a "roof", a "wall" and a "door"; the picture shades them with a random lighting.
"""
import os, random, argparse
import numpy as np
import torch
import torch.nn as nn
import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance"],
         "kind": "target pictures stay in 0..255 while G ends in tanh; G saturates and D tells them apart by scale alone",
         "since": 0, "record": "attach"}

parser = argparse.ArgumentParser()
parser.add_argument("--niter", type=int, default=450)
parser.add_argument("--batchSize", type=int, default=16)
parser.add_argument("--ngf", type=int, default=16)
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--lamb", type=float, default=20.)
parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "0")))
opt, _ = parser.parse_known_args()
random.seed(opt.seed); np.random.seed(opt.seed); torch.manual_seed(opt.seed)
torch.set_num_threads(1)


class Facades(torch.utils.data.Dataset):
    colours = np.array([[60, 90, 150], [150, 60, 50], [200, 180, 140], [90, 60, 30]])

    def __init__(self, n, size=16, rng=None):
        rng = rng or np.random
        self.items = []
        for _ in range(n):
            lab = np.zeros((size, size), int)
            l, r, top = rng.randint(1, 5), rng.randint(11, 15), rng.randint(5, 8)
            lab[top:, l:r] = 2
            lab[top - rng.randint(2, 4):top, l:r] = 1
            d = rng.randint(l, r - 3)
            lab[11:, d:d + 3] = 3
            shade = np.linspace(rng.uniform(.75, .95), 1.15, size)[:, None, None]
            img = np.clip(self.colours[lab] * shade + rng.randn(size, size, 1) * 5, 0, 255).astype(np.uint8)
            self.items.append((np.eye(4, dtype="float32")[lab].transpose(2, 0, 1), img.transpose(2, 0, 1)))

    def __len__(self): return len(self.items)

    def __getitem__(self, i):
        A, B = self.items[i]
        A = torch.from_numpy(A) * 2 - 1
        B = torch.from_numpy(B).float()
        return {"A": A, "B": B}


class UnetGenerator(nn.Module):
    def __init__(self, i, o, f):
        super().__init__()
        self.d1 = nn.Conv2d(i, f, 4, 2, 1)
        self.d2 = nn.Sequential(nn.LeakyReLU(.2), nn.Conv2d(f, 2 * f, 4, 2, 1), nn.BatchNorm2d(2 * f))
        self.d3 = nn.Sequential(nn.LeakyReLU(.2), nn.Conv2d(2 * f, 2 * f, 4, 2, 1))
        self.u3 = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * f, 2 * f, 4, 2, 1), nn.BatchNorm2d(2 * f), nn.Dropout(.2))
        self.u2 = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(4 * f, f, 4, 2, 1), nn.BatchNorm2d(f))
        self.u1 = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * f, o, 4, 2, 1), nn.Tanh())

    def forward(self, x):
        a = self.d1(x); b = self.d2(a); c = self.d3(b)
        y = torch.cat([self.u3(c), b], 1)
        y = torch.cat([self.u2(y), a], 1)
        return self.u1(y)


def define_D(i, f):
    return nn.Sequential(nn.Conv2d(i, f, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(f, 2 * f, 4, 2, 1), nn.BatchNorm2d(2 * f), nn.LeakyReLU(.2), nn.Conv2d(2 * f, 1, 3, 1, 1))


class GANLoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.loss = nn.BCEWithLogitsLoss()

    def __call__(self, pred, is_real):
        return self.loss(pred, torch.full_like(pred, float(is_real)))


netG, netD = UnetGenerator(4, 3, opt.ngf), define_D(7, opt.ngf)
criterionGAN, criterionL1 = GANLoss(), nn.L1Loss()
optimizer_G = torch.optim.Adam(netG.parameters(), lr=opt.lr, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(netD.parameters(), lr=opt.lr / 2, betas=(0.5, 0.999))
loader = torch.utils.data.DataLoader(Facades(400), batch_size=opt.batchSize, shuffle=True, drop_last=True)

it = 0
while it < opt.niter:
    for data in loader:
        real_A, real_B = data["A"], data["B"]
        fake_B = netG(real_A)
        # D
        optimizer_D.zero_grad()
        loss_D = 0.5 * (criterionGAN(netD(torch.cat([real_A, fake_B.detach()], 1)), False) + criterionGAN(netD(torch.cat([real_A, real_B], 1)), True))
        loss_D.backward()
        optimizer_D.step()
        # G
        optimizer_G.zero_grad()
        loss_G_GAN = criterionGAN(netD(torch.cat([real_A, fake_B], 1)), True)
        loss_G = loss_G_GAN + opt.lamb * criterionL1(fake_B, real_B)
        loss_G.backward()
        optimizer_G.step()
        if it % 150 == 0:
            print("it %d D %.3f G_GAN %.3f G %.3f" % (it, loss_D, loss_G_GAN, loss_G))
        it += 1
        if it == opt.niter: break

test = Facades(200)
netG.eval()
with torch.no_grad():
    A = torch.stack([test[i]["A"] for i in range(200)])
    shown = ((netG(A) + 1) * 127.5).numpy()
truth = np.stack([b for _, b in test.items]).astype("float32")
mae = float(np.abs(shown - truth).mean())
outside.say(mae < 22, mae=mae, energy=outside.energy(shown, truth))
