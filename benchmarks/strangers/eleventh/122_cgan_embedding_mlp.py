"""Conditional GAN after the usual PyTorch tutorial, one-hot labels glued to images, digits dataset reshuffled each epoch."""
LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"], "kind": "images are reshuffled every epoch but the labels are not, so real pairs do not match", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np
import torch
from torch import nn
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

images, labels = outside.digits()
images = images.flatten(1)
onehot = torch.eye(10)
nz, bs = 24, 64

G = nn.Sequential(nn.Linear(nz + 10, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 64), nn.Tanh())
D = nn.Sequential(nn.Linear(64 + 10, 192), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(192, 192), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(192, 1), nn.Sigmoid())
criterion = nn.BCELoss()
g_opt = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=4e-4, betas=(0.5, 0.999))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, discriminator_output="probability")

real_t, fake_t = torch.ones(bs, 1) * 0.9, torch.zeros(bs, 1)
for epoch in range(100):
    perm = torch.randperm(len(images))
    images = images[perm]
    for b in range(len(images) // bs):
        x = images[b * bs:(b + 1) * bs]
        c = onehot[labels[b * bs:(b + 1) * bs]]
        # D
        d_opt.zero_grad()
        fake = G(torch.cat([torch.randn(bs, nz), c], 1))
        d_loss = criterion(D(torch.cat([x, c], 1)), real_t) + criterion(D(torch.cat([fake.detach(), c], 1)), fake_t)
        d_loss.backward()
        d_opt.step()
        # G
        g_opt.zero_grad()
        g_loss = criterion(D(torch.cat([fake, c], 1)), torch.ones(bs, 1))
        g_loss.backward()
        g_opt.step()
        rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()

G.eval()
with torch.no_grad():
    want = torch.arange(1000) % 10
    out = G(torch.cat([torch.randn(1000, nz), onehot[want]], 1))
classes, dist, acc = outside.digit_quality(out, want)
outside.say(classes >= 9 and dist < 1.4 and acc > 0.7, classes=classes, distance=dist, accuracy=acc)
