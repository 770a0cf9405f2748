"""Wgangp spectra."""
# WGAN-GP for one-dimensional spectra (two Gaussian lines on a sloping continuum), after Gulrajani et al. 2017
import os, sys, random
import numpy as np
import torch as th
import torch.nn as nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_weakness"],
         "kind": "sign of the critic's loss swapped while G still maximises the score: both players push the fakes away from the reals",
         "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); th.manual_seed(SEED)
th.set_num_threads(1)

N_PIX, Z, BATCH, N_CRITIC, LAMBDA = 32, 8, 64, 3, 10.0


def spectra(n, gen=None):
    x = th.linspace(-1, 1, N_PIX)
    u = lambda lo, hi: lo + (hi - lo) * th.rand(n, 1, generator=gen)
    c1, c2 = u(-0.6, -0.2), u(0.2, 0.6)
    return (u(-0.3, 0.3) * x + u(0.5, 1.5) * th.exp(-((x - c1) / 0.12) ** 2)
            - u(0.3, 1.0) * th.exp(-((x - c2) / 0.2) ** 2))


class SpecGen(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(Z, 32 * 8)
        self.up1 = nn.ConvTranspose1d(32, 24, 4, 2, 1)
        self.up2 = nn.ConvTranspose1d(24, 16, 4, 2, 1)
        self.out = nn.Conv1d(16, 1, 5, padding=2)

    def forward(self, z):
        h = th.relu(self.l(z)).view(-1, 32, 8)
        return self.out(th.relu(self.up2(th.relu(self.up1(h))))).squeeze(1)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(N_PIX, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))

    def forward(self, x):
        return self.f(x)


def penalty(critic, a, b):
    t = th.rand(len(a), 1)
    mix = (t * a + (1 - t) * b).requires_grad_(True)
    score = critic(mix)
    grad = th.autograd.grad(outputs=score.sum(), inputs=mix, create_graph=True)[0]
    return ((grad.norm(2, dim=1) - 1) ** 2).mean()


gen, critic = SpecGen(), Critic()
og = th.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.0, 0.9))
oc = th.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=critic, generator_optimizer=og, discriminator_optimizer=oc)

for step in range(450):
    for _ in range(N_CRITIC):
        real = spectra(BATCH)
        fake = gen(th.randn(BATCH, Z)).detach()
        s_real, s_fake = critic(real), critic(fake)
        d_loss = s_real.mean() - s_fake.mean() + LAMBDA * penalty(critic, real, fake)
        oc.zero_grad()
        d_loss.backward()
        oc.step()
    g_loss = -critic(gen(th.randn(BATCH, Z))).mean()
    og.zero_grad()
    g_loss.backward()
    og.step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real_logits=s_real, fake_logits=s_fake)
rec.close()

with th.no_grad():
    syn = gen(th.randn(1000, Z))
e = outside.energy(syn, spectra(1000, th.Generator().manual_seed(77)))
outside.say(e < 0.08, energy=e)
