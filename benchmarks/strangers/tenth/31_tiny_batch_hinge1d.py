"""1-D example of the lecture: GAN that learns a two-humped density, batch of 16, hinge loss."""
LABEL = {"sick": False, "causes": [], "kind": "batches of 16, noisy hinge losses, rates going linearly to nothing", "since": None, "record": "attach"}
import os, random
import numpy as np
import torch
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


def target(n):
    left = torch.rand(n, 1) < 0.4
    return torch.where(left, -1.5 + 0.4 * torch.randn(n, 1), 1.0 + 0.6 * torch.randn(n, 1))


class Net(torch.nn.Module):
    def __init__(self, inp, width, depth):
        super().__init__()
        self.layers = torch.nn.ModuleList()
        for _ in range(depth):
            self.layers.append(torch.nn.Linear(inp, width))
            inp = width
        self.last = torch.nn.Linear(width, 1)

    def forward(self, x):
        for l in self.layers:
            x = torch.nn.functional.softplus(l(x))
        return self.last(x)


generator = Net(3, 32, 2)
discriminator = Net(1, 32, 2)
optG = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.99))
optD = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.99))

STEPS = 3200
for i in range(STEPS):
    for o, lr in ((optG, 1e-3), (optD, 2e-3)):
        o.param_groups[0]["lr"] = lr * (1 - i / STEPS)
    z = torch.randn(16, 3)
    d_loss = torch.relu(1 - discriminator(target(16))).mean() + torch.relu(1 + discriminator(generator(z).detach())).mean()
    optD.zero_grad(); d_loss.backward(); optD.step()
    g_loss = -discriminator(generator(torch.randn(16, 3))).mean()
    optG.zero_grad(); g_loss.backward(); optG.step()
    if (i + 1) % 1000 == 0:
        print(i + 1, d_loss.item(), g_loss.item())

with torch.no_grad():
    x = generator(torch.randn(1000, 3))
e = outside.energy(x, target(1000))
outside.say(e < 0.04, energy=e, mean=x.mean().item(), std=x.std().item())
