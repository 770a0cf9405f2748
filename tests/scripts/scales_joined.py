"""pix2pixHD's and SPADE's way: one module whose forward returns losses, pairs of source and image, fakes and reals in one batch, several scales."""
import json
import sys

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)


class Scale(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.patch = nn.Sequential(nn.Conv2d(2, 8, 4, 2, 1), nn.LeakyReLU(0.2)), nn.Conv2d(8, 1, 3, 1, 1)

    def forward(self, x):
        features = self.body(x)
        return [features, self.patch(features)]


class Scales(nn.Module):
    def __init__(self):
        super().__init__()
        self.large, self.small = Scale(), Scale()

    def forward(self, x):
        return [self.large(x), self.small(F.avg_pool2d(x, 2))]


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.netG = nn.Sequential(nn.Conv2d(1, 8, 3, 1, 1), nn.ReLU(), nn.Conv2d(8, 1, 3, 1, 1), nn.Tanh())
        self.netD = Scales()

    def forward(self, source, real, mode):
        if mode == "generator":
            fake = self.netG(source)
            fakes, reals = self.discriminate(source, fake, real)
            matched = sum(F.l1_loss(f[0], r[0].detach()) for f, r in zip(fakes, reals))
            return -sum(f[1].mean() for f in fakes) / 2 + 5 * matched
        with torch.no_grad():
            fake = self.netG(source)
        self.fakes, self.reals = self.discriminate(source, fake.detach().requires_grad_(), real)
        return sum(F.relu(1 + f[1]).mean() + F.relu(1 - r[1]).mean() for f, r in zip(self.fakes, self.reals)) / 2

    def discriminate(self, source, fake, real):
        out = self.netD(torch.cat([torch.cat([source, fake], 1), torch.cat([source, real], 1)], 0))
        half = len(source)
        return [[t[:half] for t in scale] for scale in out], [[t[half:] for t in scale] for scale in out]


def norm(model):
    return torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()


model = Model()
netG, netD = model.netG, model.netD
g_opt, d_opt = torch.optim.Adam(netG.parameters(), 1e-4, (0.0, 0.9)), torch.optim.Adam(netD.parameters(), 4e-4, (0.0, 0.9))
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for step in range(20):
    real = torch.tanh(torch.randn(4, 1, 1, 1) + torch.linspace(-1, 1, 8)).expand(4, 1, 8, 8).contiguous()
    source = real + 0.3 * torch.randn_like(real)
    g_opt.zero_grad()
    model(source, real, "generator").backward()
    own["g_norm"].append(norm(netG))
    g_opt.step()
    d_opt.zero_grad()
    model(source, real, "discriminator").backward()
    own["real"].append(torch.cat([r[1].flatten() for r in model.reals]).mean().item())
    own["fake"].append(torch.cat([f[1].flatten() for f in model.fakes]).mean().item())
    own["d_norm"].append(norm(netD))
    d_opt.step()
    print(step, own["real"][-1], own["fake"][-1])
torch.save({"g": netG.state_dict(), "d": netD.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
