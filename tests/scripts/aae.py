"""Adversarial autoencoder: the encoder plays the generator (it makes codes), the discriminator sees codes, a decoder is a third net."""
import itertools
import json
import sys

import torch
from torch import nn

torch.manual_seed(16)
encoder = nn.Sequential(nn.Linear(20, 32), nn.LeakyReLU(0.2), nn.Linear(32, 4))
decoder = nn.Sequential(nn.Linear(4, 32), nn.LeakyReLU(0.2), nn.Linear(32, 20), nn.Tanh())
discriminator = nn.Sequential(nn.Linear(4, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1), nn.Sigmoid())
adversarial_loss, pixelwise_loss = nn.BCELoss(), nn.L1Loss()
optimizer_G = torch.optim.Adam(itertools.chain(encoder.parameters(), decoder.parameters()), lr=1e-3)
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
own = {"real": [], "fake": [], "d_norm": []}
for i in range(20):
    real_imgs = torch.tanh(torch.randn(16, 20))
    valid, fake = torch.ones(16, 1), torch.zeros(16, 1)
    optimizer_G.zero_grad()
    encoded = encoder(real_imgs)
    decoded = decoder(encoded)
    g_loss = 0.001 * adversarial_loss(discriminator(encoded), valid) + 0.999 * pixelwise_loss(decoded, real_imgs)
    g_loss.backward()
    optimizer_G.step()
    optimizer_D.zero_grad()
    z = torch.randn(16, 4)
    on_real, on_fake = discriminator(z), discriminator(encoded.detach())
    d_loss = 0.5 * (adversarial_loss(on_real, valid) + adversarial_loss(on_fake, fake))
    d_loss.backward()
    own["real"].append(torch.logit(on_real).mean().item())
    own["fake"].append(torch.logit(on_fake).mean().item())
    own["d_norm"].append(torch.cat([p.grad.flatten() for p in discriminator.parameters()]).norm().item())
    optimizer_D.step()
    print(i, d_loss.item(), g_loss.item())
torch.save({"g": encoder.state_dict(), "d": discriminator.state_dict(), "x": decoder.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
