"""Clinic table: two measurements and three counts; the counts leave the generator as whole numbers, as in the data."""
import os
import sys

import torch
from torch import nn

import gandiag
import outside

LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "objective_fault", "discriminator_dominance"],
         "kind": "torch.round on the count columns inside G has zero gradient: those columns never learn", "since": 0, "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)


def patients(n):
    ill = (torch.rand(n, 1) < 0.4).float()
    age = 0.8 * ill + 0.5 * torch.randn(n, 1) - 0.3
    pressure = 0.6 * age + 0.4 * torch.randn(n, 1)
    visits = torch.poisson(1.0 + 5.0 * ill)
    drugs = torch.poisson(0.5 + 3.0 * ill)
    children = torch.poisson(torch.full((n, 1), 1.6))
    return torch.cat([age, pressure, visits, drugs, children], 1)


class Synthesizer(nn.Module):
    def __init__(self, noise=10, width=128):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width),
                nn.ReLU())
        self.continuous = nn.Linear(width, 2)
        self.counts = nn.Linear(width, 3)

    def forward(self, z):
        h = self.body(z)
        counts = nn.functional.softplus(self.counts(h))
        return torch.cat([self.continuous(h), torch.round(counts)], 1)


class Critic(nn.Sequential):
    def __init__(self, width=128):
        super().__init__(nn.Linear(5, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))


def main(out):
    G, D = Synthesizer(), Critic()
    opt_g = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.0, 0.99))
    opt_d = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.0, 0.99))
    recorder = gandiag.Recorder(out, generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)
    for _ in range(2000):
        real = patients(128).requires_grad_()
        fake = G(torch.randn(128, 10))
        real_score, fake_score = D(real), D(fake.detach())
        r1 = torch.autograd.grad(real_score.sum(), real, create_graph=True)[0].pow(2).sum(1).mean()
        d_loss = nn.functional.softplus(-real_score).mean() + nn.functional.softplus(fake_score).mean()
        opt_d.zero_grad()
        (d_loss + 0.3 * r1).backward()
        opt_d.step()
        g_loss = nn.functional.softplus(-D(fake)).mean()
        opt_g.zero_grad()
        g_loss.backward()
        opt_g.step()
        recorder.step(d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)
    recorder.close()
    with torch.no_grad():
        fake = G(torch.randn(2000, 10))
    real = patients(2000)
    e = outside.energy(fake, real)
    off = (fake[:, 2:].mean(0) - real[:, 2:].mean(0)).abs().max().item()
    spread = (fake[:, 2:].std(0) / real[:, 2:].std(0)).min().item()
    outside.say(e < 0.02 and off < 0.5 and spread > 0.75, energy=e, count_mean_off=off, count_spread=spread)


main(sys.argv[1])
