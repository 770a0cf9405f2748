"""StyleGAN2's loop: lazy R1 and path length as updates of their own, style mixing, images beside their latents, a running average."""
import copy
import json
import random
import sys

import torch
from torch import autograd, nn
from torch.nn import functional as F

torch.manual_seed(0)
random.seed(0)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.style = nn.Sequential(nn.Linear(8, 16), nn.LeakyReLU(0.2), nn.Linear(16, 16))
        self.first, self.second, self.out = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 6)

    def forward(self, styles, return_latents=False):
        styles = [self.style(s) for s in styles]
        latent = torch.stack([styles[0], styles[-1]], 1)
        x = torch.tanh(self.first(latent[:, 0]))
        image = self.out(torch.tanh(self.second(latent[:, 1]) + x))
        return image, latent if return_latents else None


def requires_grad(model, flag):
    for p in model.parameters():
        p.requires_grad = flag


def noise():
    return list(torch.randn(2, 16, 8).unbind(0)) if random.random() < 0.9 else [torch.randn(16, 8)]


def norm(model):
    return torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()


generator = Generator()
discriminator = nn.Sequential(nn.Linear(6, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
g_ema = copy.deepcopy(generator).eval()
g_optim = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.0, 0.99))
d_optim = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.0, 0.99))
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
path_mean = 0
for i in range(30):
    real_img = torch.tanh(torch.randn(16, 6))
    requires_grad(generator, False)
    requires_grad(discriminator, True)
    fake_pred, real_pred = discriminator(generator(noise())[0]), discriminator(real_img)
    discriminator.zero_grad()
    (F.softplus(-real_pred).mean() + F.softplus(fake_pred).mean()).backward()
    own["real"].append(real_pred.mean().item())
    own["fake"].append(fake_pred.mean().item())
    own["d_norm"].append(norm(discriminator))
    d_optim.step()
    if i % 4 == 0:
        real_img.requires_grad = True
        real_pred = discriminator(real_img)
        (slope,) = autograd.grad(real_pred.sum(), real_img, create_graph=True)
        discriminator.zero_grad()
        (10 / 2 * slope.pow(2).sum(1).mean() * 4 + 0 * real_pred[0]).backward()
        d_optim.step()
    requires_grad(generator, True)
    requires_grad(discriminator, False)
    generator.zero_grad()
    F.softplus(-discriminator(generator(noise())[0])).mean().backward()
    own["g_norm"].append(norm(generator))
    g_optim.step()
    if i % 4 == 0:
        image, latents = generator(noise(), return_latents=True)
        (slope,) = autograd.grad((image * torch.randn_like(image)).sum(), latents, create_graph=True)
        lengths = slope.pow(2).sum(2).mean(1).sqrt()
        path_mean = path_mean + 0.01 * (lengths.mean().detach() - path_mean)
        generator.zero_grad()
        (8 * (lengths - path_mean).pow(2).mean() + 0 * image[0, 0]).backward()
        g_optim.step()
    with torch.no_grad():
        for average, p in zip(g_ema.parameters(), generator.parameters()):
            average.lerp_(p, 0.01)
    print(i, own["real"][-1], own["fake"][-1])
torch.save({"g": generator.state_dict(), "d": discriminator.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
