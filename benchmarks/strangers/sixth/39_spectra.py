"""WGAN-GP for emission spectra with 48 bins and three lines."""
import os
import torch
import torch.nn as nn
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "divergence"], "since": 0, "record": "attach",
         "kind": "the penalty's gradient is taken without create_graph: a mere number in the loss, and the critic is unbounded"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
BINS = torch.arange(48.)


def spectra(n):
    out = 0.05 * torch.rand(n, 1) + torch.zeros(n, 48)
    shift = torch.randn(n, 1)
    for centre, width in ((10., 1.5), (23., 2.5), (36., 1.5)):
        out = out + (0.3 + 0.7 * torch.rand(n, 1)) * torch.exp(-0.5 * ((BINS - centre - shift) / width) ** 2)
    return out + 0.01 * torch.randn(n, 48)


def gradient_penalty(critic, real, fake, weight=10.0):
    a = torch.rand(len(real), 1)
    mid = (a * real + (1 - a) * fake).requires_grad_(True)
    score = critic(mid)
    grad = torch.autograd.grad(outputs=score, inputs=mid, grad_outputs=torch.ones_like(score), create_graph=False)[0]
    return weight * ((grad.norm(2, dim=1) - 1) ** 2).mean()


def block(i, o):
    return nn.Sequential(nn.Linear(i, o), nn.LeakyReLU(0.2))


generator = nn.Sequential(block(10, 96), block(96, 128), nn.Linear(128, 48))
critic = nn.Sequential(block(48, 128), block(128, 96), nn.Linear(96, 1))
opt_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
opt_c = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))

for epoch in range(9):
    for batch in range(100):
        for _ in range(2):
            real = spectra(64)
            fake = generator(torch.randn(64, 10)).detach()
            loss_c = critic(fake).mean() - critic(real).mean() + gradient_penalty(critic, real, fake)
            opt_c.zero_grad()
            loss_c.backward()
            opt_c.step()
        loss_g = -critic(generator(torch.randn(64, 10))).mean()
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()

with torch.no_grad():
    s = generator(torch.randn(1000, 10))
e = outside.energy(s, spectra(1000))
outside.say(e < 0.06, energy=e, top=float(s.abs().max()))
