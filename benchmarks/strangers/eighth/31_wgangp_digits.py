"""Improved WGAN on small digits, n_critic=4; the critic's estimate is printed as in the paper."""
import os, sys, random
import numpy as np
import torch
from torch import nn, autograd
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "WGAN-GP on 8x8 digits left in 0..16 units with a linear output: loss values in the tens, G's loss drifts far from zero",
         "since": None, "record": "automatic"}

seed = int(os.environ.get("SEED", "0"))
random.seed(seed), np.random.seed(seed), torch.manual_seed(seed), torch.set_num_threads(1)

LAMBDA, CRITIC_ITERS, BATCH, ITERS = 10, 4, 64, 700
raw, _ = outside.digits(scale=False)
raw = raw.flatten(1)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.pre = nn.Sequential(nn.Linear(32, 128), nn.BatchNorm1d(128), nn.ReLU())
        self.mid = nn.Sequential(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU())
        self.out = nn.Linear(128, 64)

    def forward(self, z):
        return 16 * torch.sigmoid(self.out(self.mid(self.pre(z))))


critic = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1))
gen = Generator()
opt_c = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
opt_g = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.5, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=critic, generator_optimizer=opt_g,
                       discriminator_optimizer=opt_c, automatic=True)


def calc_gradient_penalty(real, fake):
    alpha = torch.rand(len(real), 1)
    mix = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    grads = autograd.grad(critic(mix).sum(), mix, create_graph=True)[0]
    return LAMBDA * ((grads.norm(2, dim=1) - 1) ** 2).mean()


for it in range(ITERS):
    for _ in range(CRITIC_ITERS):
        real = raw[torch.randint(len(raw), (BATCH,))]
        fake = gen(torch.randn(BATCH, 32)).detach()
        wass = critic(real).mean() - critic(fake).mean()
        cost = -wass + calc_gradient_penalty(real, fake)
        opt_c.zero_grad()
        cost.backward()
        opt_c.step()
    g_cost = -critic(gen(torch.randn(BATCH, 32))).mean()
    opt_g.zero_grad()
    g_cost.backward()
    opt_g.step()
    if it % 300 == 0:
        print("iter", it, "wasserstein", wass.item(), "gen cost", g_cost.item())
rec.close()

with torch.no_grad():
    samples = gen(torch.randn(1000, 32)) / 8 - 1
e = outside.energy(samples, raw / 8 - 1)
classes, near, _ = outside.digit_quality(samples)
outside.say(e < 0.06 and classes >= 8, energy=e, classes=classes, nearest=near)
