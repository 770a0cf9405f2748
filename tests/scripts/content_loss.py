"""SRGAN's loop: the loss is a module with a frozen network in it, and is given the verdict; nothing is detached."""
import json
import sys

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)


class GeneratorLoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.loss_network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval()
        for p in self.loss_network.parameters():
            p.requires_grad = False

    def forward(self, out_labels, out_images, target_images):
        adversarial = torch.mean(1 - out_labels)
        perception = F.mse_loss(self.loss_network(out_images), self.loss_network(target_images))
        return F.mse_loss(out_images, target_images) + 0.1 * adversarial + 0.006 * perception


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.LeakyReLU(0.2), nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 1, 1))

    def forward(self, x):
        return torch.sigmoid(self.net(x).view(x.size(0)))


def norm(model):
    return torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()


netG, netD = nn.Sequential(nn.Conv2d(3, 12, 3, 1, 1), nn.PReLU(), nn.Conv2d(12, 12, 3, 1, 1), nn.PixelShuffle(2)), Discriminator()
generator_criterion = GeneratorLoss()
optimizerG, optimizerD = torch.optim.Adam(netG.parameters()), torch.optim.Adam(netD.parameters())
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for step in range(20):
    target = torch.rand(8, 3, 1, 1) * torch.linspace(0, 1, 8)
    target = target.expand(8, 3, 8, 8).contiguous()
    z = F.avg_pool2d(target, 2)
    fake_img = netG(z)
    netD.zero_grad()
    real, fake = netD(target), netD(fake_img)
    (1 - real.mean() + fake.mean()).backward(retain_graph=True)
    own["d_norm"].append(norm(netD))
    optimizerD.step()
    netG.zero_grad()
    fake_img = netG(z)
    generator_criterion(netD(fake_img).mean(), fake_img, target).backward()
    own["real"].append(torch.logit(real).mean().item())
    own["fake"].append(torch.logit(fake).mean().item())
    own["g_norm"].append(norm(netG))
    fake_img = netG(z)
    netD(fake_img).mean()
    optimizerG.step()
    print(step, own["real"][-1], own["fake"][-1])
torch.save({"g": netG.state_dict(), "d": netD.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
