"""A GAN: checker tiles ttur."""
import os
import sys
import math
import random
import numpy as np
import torch
import gandiag
import outside
from torch import nn
from torch.nn import functional as F

LABEL = {"sick": True, "causes": ["discriminator_dominance", "learning_rate", "vanishing_generator_gradient", "stagnation"],
         "kind": "the two rates of TTUR swapped in size: D learns at 2e-3 with three updates per step, G at 2e-5; D separates perfectly and G crawls",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
torch.set_num_threads(1)
torch.manual_seed(SEED)
np.random.seed(SEED)
random.seed(SEED)


def sample_checker(n):
    """RGB 8x8 two-tone checker tiles, tile size 2 or 4, random hues"""
    t = torch.arange(8)
    k = torch.where(torch.rand(n, 1, 1) < 0.5, 2, 4)
    m = ((t.view(1, 8, 1) // k + t.view(1, 1, 8) // k) % 2).float().unsqueeze(1)
    palette = torch.tensor([[.9, .1, .1], [.1, .2, .9], [.95, .9, .2]])
    a = palette[torch.randint(3, (n,))].view(n, 3, 1, 1)
    return (m * a + (1 - m) * 0.15 + 0.02 * torch.randn(n, 3, 8, 8)) * 2 - 1


class ConvGenerator(nn.Module):
    def __init__(self, nz):
        super().__init__()
        self.lin = nn.Linear(nz, 48 * 4)
        self.convs = nn.ModuleList([nn.Conv2d(48, 48, 3, padding=1), nn.Conv2d(48, 32, 3, padding=1)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(48), nn.BatchNorm2d(32)])
        self.to_rgb = nn.Conv2d(32, 3, 1)

    def forward(self, z):
        h = self.lin(z).view(-1, 48, 2, 2)
        for c, n in zip(self.convs, self.norms):
            h = F.leaky_relu(n(c(F.interpolate(h, scale_factor=2))), 0.1)
        return self.to_rgb(h).tanh()


class ConvDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.feat = nn.Sequential(nn.Conv2d(3, 32, 3, 1, 1), nn.ELU(), nn.Conv2d(32, 48, 4, 2, 1), nn.ELU())
        self.cls = nn.Sequential(nn.Flatten(), nn.Linear(48 * 16, 1), nn.Sigmoid())

    def forward(self, x):
        return self.cls(self.feat(x))


lr_d, lr_g = 2e-3, 2e-5
n_dis = 3
G = ConvGenerator(24)
D = ConvDiscriminator()
opt_g = torch.optim.Adam(G.parameters(), lr=lr_g, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=lr_d, betas=(0.5, 0.999))
ones, zeros = torch.ones(64, 1), torch.zeros(64, 1)

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d,
                      discriminator_output="probability", automatic=True):
    for step in range(350):
        for _ in range(n_dis):
            with torch.no_grad():
                fake = G(torch.randn(64, 24))
            loss = F.binary_cross_entropy(D(sample_checker(64)), ones) + F.binary_cross_entropy(D(fake), zeros)
            opt_d.zero_grad()
            loss.backward()
            opt_d.step()
        loss = F.binary_cross_entropy(D(G(torch.randn(64, 24))), ones)
        opt_g.zero_grad()
        loss.backward()
        opt_g.step()

G.eval()
with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, 24)), sample_checker(1000))
outside.say(e < 0.07, energy=e)
