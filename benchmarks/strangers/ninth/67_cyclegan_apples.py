"""Cyclegan apples."""
# CycleGAN, unpaired apples <-> oranges (drawn, 10x10 RGB). After eriklindernoren/PyTorch-GAN, trimmed.
import os, itertools, random
import numpy as np
import torch
from torch import nn
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "discriminator_dominance"],
         "kind": "identity loss wired the wrong way round (G_AB(A) must equal A): it forbids the translation that the adversarial loss asks for",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


def fruits(n, kind):
    yy, xx = np.mgrid[:10, :10]
    out = np.empty((n, 3, 10, 10), "float32")
    for k in range(n):
        cy, cx, r = np.random.uniform(3.5, 5.5), np.random.uniform(3.5, 5.5), np.random.uniform(2, 3.2)
        m = 1 / (1 + np.exp(2.5 * (np.hypot(yy - cy, xx - cx) - r)))
        fruit = np.array([.85, .1, .15] if kind == "apple" else [.95, .6, .05]) * np.random.uniform(.8, 1.05)
        back = np.array([.2, .35, .2] if kind == "apple" else [.75, .75, .85]) * np.random.uniform(.85, 1.1)
        out[k] = m * fruit[:, None, None] + (1 - m) * back[:, None, None]
    return torch.from_numpy(out).clamp(0, 1) * 2 - 1


class ResidualBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(c, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1))

    def forward(self, x):
        return x + self.block(x)


class GeneratorResNet(nn.Module):
    def __init__(self, c=16):
        super().__init__()
        self.model = nn.Sequential(nn.Conv2d(3, c, 5, padding=2), nn.ReLU(), ResidualBlock(c), nn.Conv2d(c, 3, 5, padding=2), nn.Tanh())

    def forward(self, x):
        return self.model(x)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Conv2d(3, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 1, 3, 1, 1))

    def forward(self, img):
        return self.model(img)


criterion_GAN, criterion_cycle, criterion_identity = nn.MSELoss(), nn.L1Loss(), nn.L1Loss()
G_AB, G_BA, D_A, D_B = GeneratorResNet(), GeneratorResNet(), Discriminator(), Discriminator()
lr, b1, b2 = 1e-3, 0.5, 0.999
lambda_cyc, lambda_id = 10.0, 5.0

optimizer_G = torch.optim.Adam(itertools.chain(G_AB.parameters(), G_BA.parameters()), lr=lr, betas=(b1, b2))
optimizer_D_A = torch.optim.Adam(D_A.parameters(), lr=lr, betas=(b1, b2))
optimizer_D_B = torch.optim.Adam(D_B.parameters(), lr=lr, betas=(b1, b2))
lr_lambda = lambda e: 1.0 if e < 8 else 1 - (e - 8) / 8
schedulers = [torch.optim.lr_scheduler.LambdaLR(o, lr_lambda) for o in (optimizer_G, optimizer_D_A, optimizer_D_B)]

domain_A, domain_B = fruits(500, "apple"), fruits(500, "orange")
bs = 16
for epoch in range(15):
    pa, pb = torch.randperm(500), torch.randperm(500)
    for i in range(0, 480, bs):
        real_A, real_B = domain_A[pa[i:i + bs]], domain_B[pb[i:i + bs]]

        optimizer_G.zero_grad()
        loss_id = criterion_identity(G_AB(real_A), real_A) + criterion_identity(G_BA(real_B), real_B)
        fake_B, fake_A = G_AB(real_A), G_BA(real_B)
        pred_B, pred_A = D_B(fake_B), D_A(fake_A)
        loss_GAN = criterion_GAN(pred_B, torch.ones_like(pred_B)) + criterion_GAN(pred_A, torch.ones_like(pred_A))
        loss_cycle = criterion_cycle(G_BA(fake_B), real_A) + criterion_cycle(G_AB(fake_A), real_B)
        loss_G = loss_GAN + lambda_cyc * loss_cycle + lambda_id * loss_id
        loss_G.backward()
        optimizer_G.step()

        optimizer_D_A.zero_grad()
        r, f = D_A(real_A), D_A(fake_A.detach())
        loss_D_A = 0.5 * (criterion_GAN(r, torch.ones_like(r)) + criterion_GAN(f, torch.zeros_like(f)))
        loss_D_A.backward()
        optimizer_D_A.step()

        optimizer_D_B.zero_grad()
        r, f = D_B(real_B), D_B(fake_B.detach())
        loss_D_B = 0.5 * (criterion_GAN(r, torch.ones_like(r)) + criterion_GAN(f, torch.zeros_like(f)))
        loss_D_B.backward()
        optimizer_D_B.step()
    for s in schedulers:
        s.step()
    if epoch % 5 == 0:
        print("[Epoch %d] [D A %.3f B %.3f] [G %.3f adv %.3f cycle %.3f]" % (epoch, loss_D_A, loss_D_B, loss_G, loss_GAN, loss_cycle))

with torch.no_grad():
    oranges = G_AB(fruits(500, "apple"))
e = outside.energy(oranges, fruits(500, "orange"))
outside.say(e < 0.15, energy=e, before=outside.energy(domain_A, domain_B))
