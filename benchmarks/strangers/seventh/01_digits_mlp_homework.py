"""Homework 3, part 2: "Train a GAN on the digits data set" ."""
import os, random
import numpy as np
import torch
from torch import nn, optim
import outside

LABEL = {"sick": True, "causes": ["objective_fault"],
         "kind": "copy and paste: after the generator's backward d_optimizer.step() is called again, g_optimizer.step() never: G stays as drawn",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)
torch.set_num_threads(1)

images, targets = outside.digits()
images = images.view(-1, 64)

batch_size = 64
latent_size = 64
hidden_size = 200

D = nn.Sequential(
    nn.Linear(64, hidden_size), nn.LeakyReLU(0.2),
    nn.Linear(hidden_size, hidden_size), nn.LeakyReLU(0.2),
    nn.Linear(hidden_size, 1), nn.Sigmoid())
G = nn.Sequential(
    nn.Linear(latent_size, hidden_size), nn.ReLU(),
    nn.Linear(hidden_size, hidden_size), nn.BatchNorm1d(hidden_size), nn.ReLU(),
    nn.Linear(hidden_size, 64), nn.Tanh())

criterion = nn.BCELoss()
d_optimizer = optim.Adam(D.parameters(), lr=0.0005, betas=(0.5, 0.999))
g_optimizer = optim.Adam(G.parameters(), lr=0.0005, betas=(0.5, 0.999))

num_epochs = 45
for epoch in range(num_epochs):
    perm = torch.randperm(len(images))
    for i in range(0, len(images) - batch_size + 1, batch_size):
        real = images[perm[i:i + batch_size]]
        real_labels = torch.ones(batch_size, 1)
        fake_labels = torch.zeros(batch_size, 1)

        # ---- discriminator: max log D(x) + log(1 - D(G(z)))
        d_loss_real = criterion(D(real), real_labels)
        z = torch.randn(batch_size, latent_size)
        fake = G(z)
        d_loss_fake = criterion(D(fake.detach()), fake_labels)
        d_loss = d_loss_real + d_loss_fake
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        # ---- generator: max log D(G(z))
        z = torch.randn(batch_size, latent_size)
        g_loss = criterion(D(G(z)), real_labels)
        g_optimizer.zero_grad()
        g_loss.backward()
        d_optimizer.step()
    if (epoch + 1) % 15 == 0:
        print("Epoch [%d/%d] d_loss %.4f g_loss %.4f" % (epoch + 1, num_epochs, d_loss.item(), g_loss.item()))

with torch.no_grad():
    samples = G(torch.randn(1000, latent_size))
e = outside.energy(samples, images)
classes, ratio, _ = outside.digit_quality(samples)
outside.say(e < 0.1 and classes >= 8, energy=e, classes=classes, ratio=ratio)
