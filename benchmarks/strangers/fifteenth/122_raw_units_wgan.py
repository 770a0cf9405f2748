"""WGAN-GP homework: heights (mm) and weights (g) of a population in raw units, five critic steps per generator step."""
LABEL = {"sick": False, "causes": [], "kind": "data kept in raw units of thousands; the generator's last layer is affine with the data's mean and deviation, critic scores are unbounded and far from zero, losses negative", "since": None, "record": "attach"}

import os
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED)
torch.set_num_threads(1)

# ---------- the population ----------
rng = np.random.RandomState(SEED + 5)
N = 6000
sex = rng.rand(N) < 0.5
height = np.where(sex, rng.normal(1780, 70, N), rng.normal(1640, 62, N))
bmi = np.exp(rng.normal(np.log(24.5), 0.14, N))
weight = bmi * (height / 1000) ** 2 * 1000
data = torch.tensor(np.stack([height, weight], 1), dtype=torch.float32)
mean, std = data.mean(0), data.std(0)


class Units(nn.Module):
    """from the network's units to millimetres and grams"""
    def forward(self, h):
        return mean + std * h


class Standard(nn.Module):
    def forward(self, x):
        return (x - mean) / std


netG = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2), Units())
netD = nn.Sequential(Standard(), nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
optimizerD = optim.Adam(netD.parameters(), lr=2e-3, betas=(0.5, 0.9))
optimizerG = optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.9))
BATCH, ITERS, CRITIC, LAMBDA = 128, 1600, 5, 1.0


def calc_gradient_penalty(real, fake):
    # the slope is asked for in standard units, hence the factor std
    alpha = torch.rand(real.size(0), 1)
    inter = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    grad = torch.autograd.grad(netD(inter).sum(), inter, create_graph=True)[0] * std
    return ((grad.norm(2, dim=1) - 1) ** 2).mean() * LAMBDA


for iteration in range(ITERS):
    if iteration == 1000:
        for o in (optimizerD, optimizerG):
            o.param_groups[0]['lr'] *= 0.25
    for _ in range(CRITIC):
        real = data[torch.randint(0, N, (BATCH,))]
        fake = netG(torch.randn(BATCH, 6)).detach()
        optimizerD.zero_grad()
        errD = netD(fake).mean() - netD(real).mean() + calc_gradient_penalty(real, fake)
        errD.backward()
        optimizerD.step()
    optimizerG.zero_grad()
    errG = -netD(netG(torch.randn(BATCH, 6))).mean()
    errG.backward()
    optimizerG.step()
    if iteration % 300 == 0:
        print(iteration, "W estimate", -errD.item())

with torch.no_grad():
    s = netG(torch.randn(3000, 6))
e = outside.energy((s - mean) / std, (data[torch.randperm(N)] - mean) / std)
corr = np.corrcoef(s.numpy().T)[0, 1]; want = np.corrcoef(data.numpy().T)[0, 1]
ratio = (s.std(0) / std).numpy()
outside.say(e < 0.01 and abs(corr - want) < 0.1 and abs(ratio - 1).max() < 0.2, energy=e, corr=corr, want=want, spread=float(ratio.min()))
