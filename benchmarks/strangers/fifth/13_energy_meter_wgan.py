"""Daily load curves of households (16 half-hours), Wasserstein GAN."""
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "Wasserstein critic without clipping or penalty", "since": 0, "record": "attach"}
import os, itertools
import torch
from torch import nn
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

HOURS = 16

def households(n):
    t = torch.linspace(0, 1, HOURS)
    kind = torch.randint(3, (n, 1))
    base = 0.2 + 0.2 * torch.rand(n, 1)
    morning = torch.exp(-((t - 0.3 - 0.05 * torch.randn(n, 1)) / 0.08) ** 2) * (0.6 + 0.3 * torch.rand(n, 1))
    evening = torch.exp(-((t - 0.8 - 0.03 * torch.randn(n, 1)) / 0.1) ** 2) * (0.9 + 0.4 * torch.rand(n, 1))
    noon = torch.exp(-((t - 0.5 - 0.04 * torch.randn(n, 1)) / 0.15) ** 2) * (0.5 + 0.4 * torch.rand(n, 1))
    y = base + morning * (kind != 2) + evening * (kind != 1) + noon * (kind == 2)
    return y + 0.03 * torch.randn(n, HOURS)

class CurveGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, HOURS))

    def forward(self, z):
        return self.net(z)

class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(HOURS, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, x):
        return self.net(x)

curves = households(5000)
netG, netC = CurveGenerator(), Critic()
optG = torch.optim.Adam(netG.parameters(), lr=5e-4, betas=(0.5, 0.9))
optC = torch.optim.Adam(netC.parameters(), lr=3e-3, betas=(0.5, 0.9))

n_critic, batch = 5, 64
for it in itertools.count():
    if it == 800:
        break
    for _ in range(n_critic):
        idx = torch.randint(len(curves), (batch,))
        fake = netG(torch.randn(batch, 10)).detach()
        lossC = netC(fake).mean() - netC(curves[idx]).mean()
        optC.zero_grad()
        lossC.backward()
        optC.step()
    lossG = -netC(netG(torch.randn(batch, 10))).mean()
    optG.zero_grad()
    lossG.backward()
    optG.step()
    if it % 100 == 0:
        print(f"iteration {it}  wasserstein {-lossC.item():.4f}")

e = outside.energy(netG(torch.randn(1000, 10)), households(1000))
outside.say(e < 0.03, energy=e)
