"""SRGAN / ESRGAN at toy size: 6x6 -> 12x12, pretrained with MSE ("SRResNet" phase), then adversarial with a relativistic D and feature matching as content loss."""
import os, random, logging
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

LABEL = {"sick": False, "causes": [], "kind": "super-resolution with a pretraining phase and a content loss twenty times the adversarial one; small batches; D at high accuracy", "since": None, "record": "attach"}

logging.basicConfig(format="%(message)s", level=logging.INFO)
log = logging.getLogger("srgan")
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def textures(n, s=12):
    """stripes of random direction and phase under a soft vignette"""
    y, x = np.mgrid[:s, :s] / s
    th = np.random.rand(n, 1, 1) * np.pi; ph = np.random.rand(n, 1, 1) * 2 * np.pi; f = np.random.uniform(1.2, 2.2, (n, 1, 1))
    w = np.sin(2 * np.pi * f * (x * np.cos(th) + y * np.sin(th)) + ph) * np.random.uniform(.6, .95, (n, 1, 1))
    return torch.tensor(w[:, None], dtype=torch.float32)


class SRResNet(nn.Module):
    def __init__(self, c=24, blocks=2):
        super().__init__()
        self.head = nn.Conv2d(1, c, 3, padding=1)
        self.body = nn.ModuleList(nn.Sequential(nn.Conv2d(c, c, 3, padding=1), nn.PReLU(), nn.Conv2d(c, c, 3, padding=1)) for _ in range(blocks))
        self.tail = nn.Sequential(nn.Conv2d(c, 4, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, lr):
        h = F.relu(self.head(lr))
        for b in self.body:
            h = h + b(h)
        return F.interpolate(lr, scale_factor=2, mode="bilinear", align_corners=False) + self.tail(h)


class Critic(nn.Module):
    def __init__(self, c=16):
        super().__init__()
        self.stages = nn.ModuleList([nn.Conv2d(1, c, 3, 1, 1), nn.Conv2d(c, 2 * c, 3, 2, 1), nn.Conv2d(2 * c, 2 * c, 3, 2, 1)])
        self.fc = nn.Linear(2 * c * 9, 1)

    def forward(self, x, features=False):
        fs = []
        for s in self.stages:
            x = F.leaky_relu(s(x), .2); fs.append(x)
        out = self.fc(x.flatten(1))
        return (out, fs) if features else out


class SRTrainer:
    def __init__(self, hr, batch=16):
        self.hr, self.batch = hr, batch
        self.netG, self.netD = SRResNet(), Critic()
        self.optG = torch.optim.Adam(self.netG.parameters(), 1e-3)
        self.optD = torch.optim.Adam(self.netD.parameters(), 4e-4)

    @staticmethod
    def degrade(hr):
        return F.avg_pool2d(hr, 2) + .02 * torch.randn(len(hr), 1, 6, 6)

    def get(self):
        hr = self.hr[torch.randint(len(self.hr), (self.batch,))]
        return self.degrade(hr), hr

    def pretrain(self, n):
        for _ in range(n):
            lr, hr = self.get()
            loss = F.mse_loss(self.netG(lr), hr)
            self.optG.zero_grad(); loss.backward(); self.optG.step()
        log.info("pretraining done, mse %.4f", loss)

    def train(self, n):
        for g in self.optG.param_groups: g["lr"] = 3e-4
        for i in range(n):
            lr, hr = self.get()
            sr = self.netG(lr)
            r, f = self.netD(hr), self.netD(sr.detach())
            d = F.softplus(-(r - f.mean())).mean() + F.softplus(f - r.mean()).mean()
            self.optD.zero_grad(); d.backward(); self.optD.step()
            f, ff = self.netD(sr, True)
            with torch.no_grad(): r, fr = self.netD(hr, True)
            adv = F.softplus(-(f - r.mean())).mean() + F.softplus(r - f.mean()).mean()
            content = F.l1_loss(sr, hr) * 20 + sum(F.l1_loss(a, b) for a, b in zip(ff, fr))
            g = content + adv
            self.optG.zero_grad(); g.backward(); self.optG.step()
            if i % 200 == 0: log.info("%d d %.3f adv %.3f content %.3f", i, d, adv, content)


t = SRTrainer(textures(800))
t.pretrain(150)
t.train(450)
test = textures(300)
with torch.no_grad():
    sr = t.netG(t.degrade(test))
psnr = 10 * np.log10(4 / F.mse_loss(sr, test).item())
base = 10 * np.log10(4 / F.mse_loss(F.interpolate(F.avg_pool2d(test, 2), scale_factor=2, mode="bilinear"), test).item())
outside.say(psnr > base + 4 and outside.energy(sr, test) < .03, psnr=psnr, bilinear=base, energy=outside.energy(sr, test))
