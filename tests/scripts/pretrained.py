"""SRGAN-like: the generator is trained alone on a content loss, then against a discriminator, with its old optimizer."""
import json
import sys

import torch
from torch import nn
from torch.nn.functional import interpolate, mse_loss

torch.manual_seed(37)


class SRResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 8, 3, 1, 1), nn.PReLU(), nn.Conv2d(8, 4, 3, 1, 1), nn.PixelShuffle(2))

    def forward(self, low):
        return torch.tanh(self.body(low))


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.LeakyReLU(0.2), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(8, 1)

    def forward(self, image):
        return torch.sigmoid(self.head(self.features(image)))


def batch():
    high = torch.tanh(interpolate(torch.randn(8, 1, 3, 3), size=8, mode="bilinear"))
    return interpolate(high, scale_factor=0.5), high


srnet = SRResNet()
opt_sr = torch.optim.Adam(srnet.parameters(), 1e-3)
for i in range(25):
    low, high = batch()
    opt_sr.zero_grad()
    mse_loss(srnet(low), high).backward()
    opt_sr.step()
judge = Judge()
opt_judge = torch.optim.Adam(judge.parameters(), 1e-3)
bce = nn.BCELoss()
own = {"d_norm": [], "g_norm": []}
for i in range(18):
    low, high = batch()
    restored = srnet(low)
    opt_judge.zero_grad()
    loss_d = bce(judge(high), torch.ones(8, 1)) + bce(judge(restored.detach()), torch.zeros(8, 1))
    loss_d.backward()
    own["d_norm"].append(torch.cat([p.grad.flatten() for p in judge.parameters()]).norm().item())
    opt_judge.step()
    opt_sr.zero_grad()
    (mse_loss(restored, high) + 1e-3 * bce(judge(restored), torch.ones(8, 1))).backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in srnet.parameters()]).norm().item())
    opt_sr.step()
    print(i, loss_d.item())
torch.save({"g": srnet.state_dict(), "d": judge.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
