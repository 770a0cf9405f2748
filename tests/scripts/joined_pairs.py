"""Image to image: D judges (source, picture) joined along the channels, and the joined fakes are made of detached ones."""
import json
import sys

import torch
from torch import nn

torch.manual_seed(23)


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 8, 3, 1, 1), nn.ReLU(), nn.Conv2d(8, 1, 3, 1, 1), nn.Tanh())

    def forward(self, source):
        return self.net(source)


class PairJudge(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(2, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 3, 1, 1))

    def forward(self, pair):
        return self.net(pair)


def norm(net):
    return torch.cat([p.grad.flatten() for p in net.parameters()]).norm().item()


netG, netD = Translator(), PairJudge()
optG = torch.optim.Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
gan_loss, l1 = nn.MSELoss(), nn.L1Loss()
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for step in range(20):
    source = torch.tanh(torch.randn(6, 1, 8, 8).cumsum(2).cumsum(3) * 0.3)
    target = -source.roll(1, 3)
    picture = netG(source)
    optD.zero_grad()
    on_fake = netD(torch.cat((source, picture.detach()), 1))
    on_real = netD(torch.cat((source, target), 1))
    loss_d = 0.5 * (gan_loss(on_fake, torch.zeros_like(on_fake)) + gan_loss(on_real, torch.ones_like(on_real)))
    loss_d.backward()
    own["real"].append(on_real.mean().item())
    own["fake"].append(on_fake.mean().item())
    own["d_norm"].append(norm(netD))
    optD.step()
    optG.zero_grad()
    judged = netD(torch.cat((source, picture), 1))
    loss_g = gan_loss(judged, torch.ones_like(judged)) + 100 * l1(picture, target)
    loss_g.backward()
    own["g_norm"].append(norm(netG))
    optG.step()
    print(f"[{step}] d {loss_d.item():.4f} g {loss_g.item():.4f}")
torch.save({"g": netG.state_dict(), "d": netD.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
