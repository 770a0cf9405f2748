"""Photomultiplier pulses in volts (a few millivolts high, 12 % with an after-pulse), a GAN as fast front end of a detector simulation."""
LABEL = {"sick": False, "causes": [],
         "kind": "the samples are of order 0.001 (volts); both networks carry the unit inside; gradients at the samples are huge and pixel differences tiny; a rare 12 % class is kept",
         "since": None, "record": "attach"}
import os
import torch
import outside
from torch import nn, optim

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

MILLIVOLT = 1e-3
SAMPLES = 24


def pulses(n, return_flag=False):
    t = torch.arange(SAMPLES).float()[None]

    def one(t0, q):
        s = (t - t0).clamp(min=0)
        return q * (s / 2) * torch.exp(1 - s / 2)

    q = 2.0 + 0.6 * torch.randn(n, 1).clamp(-2.5, 2.5)
    v = one(2 + 2 * torch.rand(n, 1), q)
    pile = (torch.rand(n, 1) < 0.12).float()
    v = v + pile * one(12 + 0.8 * torch.rand(n, 1), 2.0 + 0.4 * torch.randn(n, 1))
    v = (v + 0.07 * torch.randn(n, SAMPLES)) * MILLIVOLT
    return (v, pile) if return_flag else v


def second_pulse(v):
    return (v[:, 13:19].amax(1) > 1.1 * MILLIVOLT).float().mean().item()


class FrontEnd(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, SAMPLES))

    def forward(self, z):
        return self.net(z) * MILLIVOLT


class Scope(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(SAMPLES, 128), nn.LeakyReLU(0.2), nn.Linear(128, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))

    def forward(self, v):
        return self.net(v / MILLIVOLT)


generator, discriminator = FrontEnd(), Scope()
g_opt = optim.Adam(generator.parameters(), lr=1e-3, betas=(0.0, 0.99))
d_opt = optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.0, 0.99))
g_sched = optim.lr_scheduler.CosineAnnealingLR(g_opt, 3600)
d_sched = optim.lr_scheduler.CosineAnnealingLR(d_opt, 3600)
store = pulses(30000)

for step in range(3600):
    v = store[torch.randint(len(store), (128,))].requires_grad_(True)
    fake = generator(torch.randn(128, 12))
    real_out = discriminator(v)
    fake_out = discriminator(fake.detach())
    r1 = (torch.autograd.grad(real_out.sum(), v, create_graph=True)[0] * MILLIVOLT).square().sum(1).mean()
    d_loss = nn.functional.softplus(fake_out).mean() + nn.functional.softplus(-real_out).mean() + 0.1 * r1
    d_opt.zero_grad(set_to_none=True)
    d_loss.backward()
    d_opt.step()

    g_loss = nn.functional.softplus(-discriminator(fake)).mean()
    g_opt.zero_grad(set_to_none=True)
    g_loss.backward()
    g_opt.step()
    g_sched.step(); d_sched.step()
    if (step + 1) % 500 == 0:
        print(f"{step + 1:5d} d={d_loss.item():.3f} g={g_loss.item():.3f} pile-up {second_pulse(fake.detach()):.3f}")

with torch.no_grad():
    made = generator(torch.randn(4000, 12))
truth = pulses(4000)
rate, true_rate = second_pulse(made), second_pulse(truth)
charge = float(made.sum(1).std() / truth.sum(1).std())
ed = outside.energy(made / MILLIVOLT, truth / MILLIVOLT)
outside.say(ed < 0.02 and 0.4 * true_rate < rate < 2 * true_rate and 0.75 < charge < 1.25, energy=ed, pileup=rate, true_pileup=true_rate, charge_spread=charge)
