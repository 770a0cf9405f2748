"""Pinwheel."""
import os, sys, random
import numpy as np
import torch
from torch import nn, optim
import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_weakness", "oscillation"],
         "kind": "zero_grad of the discriminator is missing: its gradients pile up over all steps, G's among them",
         "since": 0, "record": "lines"}

seed = SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(seed)
np.random.seed(seed)
random.seed(seed)
torch.set_num_threads(1)


def pinwheel(n, arms=4):
    t = np.random.randint(arms, size=n)
    r = 0.35 * np.random.randn(n) + 1.0
    s = 0.12 * np.random.randn(n)
    a = 2 * np.pi * t / arms + 0.6 * r
    pts = np.stack([r * np.cos(a) - s * np.sin(a), r * np.sin(a) + s * np.cos(a)], 1)
    return torch.from_numpy(pts).float()


class MLP(nn.Module):
    def __init__(self, sizes, act):
        super().__init__()
        net = []
        for a, b in zip(sizes[:-2], sizes[1:-1]):
            net += [nn.Linear(a, b), act()]
        net.append(nn.Linear(sizes[-2], sizes[-1]))
        self.net = nn.Sequential(*net)

    def forward(self, x):
        return self.net(x)


netG = MLP([8, 96, 96, 2], nn.ReLU)
netD = MLP([2, 96, 96, 1], nn.ReLU)
optG = optim.Adam(netG.parameters(), lr=4e-4, betas=(0.5, 0.999))
optD = optim.Adam(netD.parameters(), lr=2e-3, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()

B = 200
with gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG,
                      discriminator_optimizer=optD) as rec:
    for step in range(1400):
        # --- discriminator
        real = pinwheel(B)
        fake = netG(torch.randn(B, 8))
        out_r, out_f = netD(real), netD(fake.detach())
        lossD = criterion(out_r, torch.ones(B, 1)) + criterion(out_f, torch.zeros(B, 1))
        lossD.backward()
        optD.step()

        # --- generator
        optG.zero_grad()
        lossG = criterion(netD(fake), torch.ones(B, 1))
        lossG.backward()
        optG.step()

        rec.step(d_loss=lossD, g_loss=lossG, real_logits=out_r, fake_logits=out_f)
        if step % 400 == 0:
            print(f"step {step:5d}  D {lossD.item():.3f}  G {lossG.item():.3f}")

with torch.no_grad():
    e = outside.energy(netG(torch.randn(1000, 8)), pinwheel(1000))
outside.say(e < 0.08, energy=e)
