"""SNGAN on the digits: spectral norm in the discriminator, hinge loss, adapted from a CIFAR repo."""
LABEL = {"sick": False, "causes": [], "kind": "hinge loss and spectral norm with batch size 32, D updated twice", "since": None, "record": "automatic"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm as SN
import gandiag
import outside

def set_seed(seed):
    random.seed(seed); np.random.seed(seed); torch.manual_seed(seed)

SEED = int(os.environ.get("SEED", "0"))
set_seed(SEED)
torch.set_num_threads(1)

class Generator(nn.Module):
    def __init__(self, z_dim=32, ch=32):
        super().__init__()
        self.ch = ch
        self.dense = nn.Linear(z_dim, 4 * ch * 2 * 2)
        self.up1 = nn.ConvTranspose2d(4 * ch, 2 * ch, 4, 2, 1)
        self.up2 = nn.ConvTranspose2d(2 * ch, ch, 4, 2, 1)
        self.bn0, self.bn1, self.bn2 = nn.BatchNorm2d(4 * ch), nn.BatchNorm2d(2 * ch), nn.BatchNorm2d(ch)
        self.out = nn.Conv2d(ch, 1, 3, 1, 1)
    def forward(self, z):
        h = F.relu(self.bn0(self.dense(z).view(-1, 4 * self.ch, 2, 2)))
        h = F.relu(self.bn1(self.up1(h)))
        h = F.relu(self.bn2(self.up2(h)))
        return torch.tanh(self.out(h))

class Discriminator(nn.Module):
    def __init__(self, ch=32):
        super().__init__()
        self.conv1 = SN(nn.Conv2d(1, ch, 3, 1, 1))
        self.conv2 = SN(nn.Conv2d(ch, ch, 4, 2, 1))
        self.conv3 = SN(nn.Conv2d(ch, 2 * ch, 4, 2, 1))
        self.fc = SN(nn.Linear(2 * ch * 4, 1))
    def forward(self, x):
        h = F.leaky_relu(self.conv1(x), 0.1)
        h = F.leaky_relu(self.conv2(h), 0.1)
        h = F.leaky_relu(self.conv3(h), 0.1)
        return self.fc(h.flatten(1)).view(-1)

data, _ = outside.digits()
loader = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True, drop_last=True)
def infinite(loader):
    while True:
        for b in loader:
            yield b
it = infinite(loader)
G, D = Generator(), Discriminator()
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.0, 0.9))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)

for step in range(1000):
    for _ in range(2):
        x = next(it)
        with torch.no_grad():
            fake = G(torch.randn(32, 32))
        loss = F.relu(1 - D(x)).mean() + F.relu(1 + D(fake)).mean()
        d_opt.zero_grad(); loss.backward(); d_opt.step()
    loss_g = -D(G(torch.randn(32, 32))).mean()
    g_opt.zero_grad(); loss_g.backward(); g_opt.step()

with torch.no_grad():
    f = G(torch.randn(1000, 32))
classes, ratio, _ = outside.digit_quality(f)
e = outside.energy(f, data[torch.randperm(len(data))])
outside.say(classes >= 9 and ratio < 1.4 and e < 0.03, classes=classes, ratio=ratio, energy=e)
