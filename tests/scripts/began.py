"""BEGAN: the discriminator is an autoencoder, its reconstruction error is the score, k balances the two."""
import json
import sys

import torch
from torch import nn

torch.manual_seed(33)
generator = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
discriminator = nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 64), nn.Unflatten(1, (1, 8, 8)))
optimizer_G = torch.optim.Adam(generator.parameters(), lr=1e-3)
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
gamma, lambda_k, k = 0.75, 0.001, 0.0
own = {"d_norm": [], "g_norm": []}
for i in range(20):
    real_imgs = torch.tanh(torch.randn(16, 1, 8, 8))
    optimizer_G.zero_grad()
    gen_imgs = generator(torch.randn(16, 8))
    g_loss = torch.mean(torch.abs(discriminator(gen_imgs) - gen_imgs))
    g_loss.backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in generator.parameters()]).norm().item())
    optimizer_G.step()
    optimizer_D.zero_grad()
    d_real = discriminator(real_imgs)
    d_fake = discriminator(gen_imgs.detach())
    d_loss_real = torch.mean(torch.abs(d_real - real_imgs))
    d_loss_fake = torch.mean(torch.abs(d_fake - gen_imgs.detach()))
    d_loss = d_loss_real - k * d_loss_fake
    d_loss.backward()
    own["d_norm"].append(torch.cat([p.grad.flatten() for p in discriminator.parameters()]).norm().item())
    optimizer_D.step()
    diff = torch.mean(gamma * d_loss_real - d_loss_fake)
    k = min(max(k + lambda_k * diff.item(), 0), 1)
    print(i, d_loss.item(), g_loss.item(), k)
torch.save({"g": generator.state_dict(), "d": discriminator.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
