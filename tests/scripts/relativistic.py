"""Relativistic average GAN: the generator's own turn calls D on the reals too, and D's turn sees the fakes twice."""
import json
import sys

import torch
import torch.nn as nn

torch.manual_seed(9)
generator = nn.Sequential(nn.Linear(8, 32), nn.LeakyReLU(0.2), nn.Linear(32, 12))
discriminator = nn.Sequential(nn.Linear(12, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
loss = nn.BCEWithLogitsLoss()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for i in range(20):
    real_imgs = torch.randn(16, 12) * 0.3 + 1
    valid, fake = torch.ones(16, 1), torch.zeros(16, 1)
    optimizer_G.zero_grad()
    gen_imgs = generator(torch.randn(16, 8))
    real_pred = discriminator(real_imgs).detach()
    fake_pred = discriminator(gen_imgs)
    g_loss = loss(fake_pred - real_pred.mean(0, keepdim=True), valid)
    g_loss.backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in generator.parameters()]).norm().item())
    optimizer_G.step()
    optimizer_D.zero_grad()
    real_pred = discriminator(real_imgs)
    fake_pred = discriminator(gen_imgs.detach())
    real_loss = loss(real_pred - fake_pred.mean(0, keepdim=True), valid)
    fake_loss = loss(fake_pred - real_pred.mean(0, keepdim=True), fake)
    d_loss = (real_loss + fake_loss) / 2
    d_loss.backward()
    own["real"].append(real_pred.mean().item())
    own["fake"].append(fake_pred.mean().item())
    own["d_norm"].append(torch.cat([p.grad.flatten() for p in discriminator.parameters()]).norm().item())
    optimizer_D.step()
    print(i, d_loss.item(), g_loss.item())
torch.save({"g": generator.state_dict(), "d": discriminator.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
