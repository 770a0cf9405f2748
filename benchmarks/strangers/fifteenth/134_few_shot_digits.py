"""GAN for a scarce-data course project: sixty labelled scans of handwritten digits, convolutional nets."""
LABEL = {"sick": True, "causes": ["discriminator_overfitting", "discriminator_dominance", "memorisation"], "kind": "only sixty real images seen hundreds of times, no augmentation, no penalty: the discriminator learns them by heart", "since": None, "record": "automatic"}

import os, sys
import numpy as np
import torch
import torch.nn as nn
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

N_SCANS = 60
images, labels = outside.digits()
rng = np.random.RandomState(SEED)
chosen = torch.tensor(rng.permutation(len(images))[:N_SCANS])
train = images[chosen]


class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(20, 64 * 2 * 2)
        self.net = nn.Sequential(
            nn.BatchNorm2d(64), nn.ReLU(),
            nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.BatchNorm2d(32), nn.ReLU(),
            nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        return self.net(self.fc(z).view(-1, 64, 2, 2))


D = nn.Sequential(
    nn.Conv2d(1, 32, 3, 2, 1), nn.LeakyReLU(0.2),
    nn.Conv2d(32, 64, 3, 2, 1), nn.LeakyReLU(0.2),
    nn.Flatten(), nn.Linear(256, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
G = Gen()
bce = nn.BCEWithLogitsLoss()
opt_g = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.999))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)

for step in range(2200):
    real = train[torch.randint(len(train), (48,))]
    fake = G(torch.randn(48, 20))
    loss_d = bce(D(real), torch.ones(48, 1)) + bce(D(fake.detach()), torch.zeros(48, 1))
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()
    loss_g = bce(D(fake), torch.ones(48, 1))
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
recorder.close()

G.eval()
with torch.no_grad():
    out = G(torch.randn(1000, 20))
rest = images[torch.tensor(rng.permutation(len(images)))]
e = outside.energy(out, rest)
classes, dist, _ = outside.digit_quality(out)
outside.say(e < 0.02 and classes == 10 and dist < 1.6, energy=e, classes=classes, dist=dist)
