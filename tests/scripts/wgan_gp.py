"""WGAN-GP: the critic sees reals, fakes and interpolates in its turn; the generator steps every fifth batch."""
import json
import sys

import torch
import torch.autograd as autograd
import torch.nn as nn

torch.manual_seed(3)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 64), nn.Tanh())

    def forward(self, z):
        return self.net(z).view(-1, 1, 8, 8)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))

    def forward(self, img):
        return self.net(img.view(img.shape[0], -1))


generator, discriminator = Generator(), Discriminator()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.9))
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}


def compute_gradient_penalty(D, real_samples, fake_samples):
    alpha = torch.rand(real_samples.size(0), 1, 1, 1)
    interpolates = (alpha * real_samples + ((1 - alpha) * fake_samples)).requires_grad_(True)
    d_interpolates = D(interpolates)
    gradients = autograd.grad(outputs=d_interpolates, inputs=interpolates, grad_outputs=torch.ones_like(d_interpolates), create_graph=True, retain_graph=True, only_inputs=True)[0]
    return ((gradients.view(gradients.size(0), -1).norm(2, dim=1) - 1) ** 2).mean()


for i in range(100):
    real_imgs = torch.tanh(torch.randn(16, 1, 8, 8))
    optimizer_D.zero_grad()
    z = torch.randn(16, 10)
    fake_imgs = generator(z)
    real_validity = discriminator(real_imgs)
    fake_validity = discriminator(fake_imgs)
    gradient_penalty = compute_gradient_penalty(discriminator, real_imgs.data, fake_imgs.data)
    d_loss = -torch.mean(real_validity) + torch.mean(fake_validity) + 10 * gradient_penalty
    d_loss.backward()
    d_norm = torch.cat([p.grad.flatten() for p in discriminator.parameters()]).norm().item()
    optimizer_D.step()
    optimizer_G.zero_grad()
    if i % 5 == 0:
        fake_imgs = generator(z)
        g_loss = -torch.mean(discriminator(fake_imgs))
        g_loss.backward()
        own["real"].append(real_validity.mean().item())
        own["fake"].append(fake_validity.mean().item())
        own["d_norm"].append(d_norm)
        own["g_norm"].append(torch.cat([p.grad.flatten() for p in generator.parameters()]).norm().item())
        optimizer_G.step()
        print(f"[{i}] D loss {d_loss.item():.5f} G loss {g_loss.item():.5f}")
torch.save({"g": generator.state_dict(), "d": discriminator.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
