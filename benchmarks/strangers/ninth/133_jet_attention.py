"""Point-cloud GAN for particle jets (8 constituents x 3 features), self-attention in both nets.
Module layout borrowed from Lightning, loop written out by hand."""
import os
import random
import sys
import numpy as np
import torch
from torch import nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault"],
         "kind": "copy and paste: the discriminator's optimizer was built with the generator's parameters, D never learns",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

N_PART, N_FEAT = 8, 3


def toy_jets(n, rng):
    jet = rng.normal(0, .35, (n, 1, 2))
    spread = rng.gamma(4, .06, (n, 1, 1))
    ang = jet + spread * rng.standard_normal((n, N_PART, 2))
    frac = np.sort(rng.dirichlet(np.full(N_PART, 1.2), n), axis=1)[:, ::-1] * 2 - .25
    return torch.tensor(np.concatenate([frac[..., None], 2 * ang], 2), dtype=torch.float32)


class AttentionBlock(nn.Module):
    def __init__(self, dim, heads=2):
        super().__init__()
        self.att = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.ff = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, dim))

    def forward(self, x):
        x = x + self.att(x, x, x, need_weights=False)[0]
        return x + self.ff(x)


class JetGenerator(nn.Module):
    def __init__(self, dim=24, z=12):
        super().__init__()
        self.z = z
        self.inp = nn.Linear(z, dim)
        self.slots = nn.Parameter(0.5 * torch.randn(N_PART, dim))
        self.local = nn.Linear(4, dim)
        self.blocks = nn.Sequential(AttentionBlock(dim), AttentionBlock(dim))
        self.out = nn.Linear(dim, N_FEAT)

    def forward(self, z):
        local = torch.randn(len(z), N_PART, 4)
        h = self.inp(z)[:, None] + self.slots + self.local(local)
        return self.out(self.blocks(h))


class JetDiscriminator(nn.Module):
    def __init__(self, dim=24):
        super().__init__()
        self.inp = nn.Linear(N_FEAT, dim)
        self.slots = nn.Parameter(0.5 * torch.randn(N_PART, dim))
        self.block = AttentionBlock(dim)
        self.out = nn.Sequential(nn.Linear(N_PART * dim, 48), nn.LeakyReLU(.2), nn.Linear(48, 1))

    def forward(self, x):
        return self.out(self.block(self.inp(x) + self.slots).flatten(1)).squeeze(1)


class JetGAN(nn.Module):
    def __init__(self, lr=1e-3):
        super().__init__()
        self.lr = lr
        self.generator = JetGenerator()
        self.discriminator = JetDiscriminator()

    def configure_optimizers(self):
        opt_g = torch.optim.Adam(self.generator.parameters(), lr=self.lr, betas=(0.5, 0.99))
        opt_d = torch.optim.Adam(self.generator.parameters(), lr=self.lr, betas=(0.5, 0.99))
        return opt_g, opt_d

    def sample(self, n):
        return self.generator(torch.randn(n, self.generator.z))

    def adversarial_loss(self, score, is_real):
        return nn.functional.binary_cross_entropy_with_logits(score, torch.full_like(score, float(is_real)))

    def discriminator_step(self, real):
        fake = self.sample(len(real)).detach()
        return self.adversarial_loss(self.discriminator(real), True) + self.adversarial_loss(self.discriminator(fake), False)

    def generator_step(self, real):
        return self.adversarial_loss(self.discriminator(self.sample(len(real))), True)


rng = np.random.default_rng(31 + SEED)
jets = toy_jets(3000, rng)
model = JetGAN()
opt_g, opt_d = model.configure_optimizers()
recorder = gandiag.Recorder(sys.argv[1], generator=model.generator, discriminator=model.discriminator,
                            generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)
for batch_idx in range(700):
    batch = jets[torch.randint(0, len(jets), (48,))]
    opt_d.zero_grad()
    loss_d = model.discriminator_step(batch)
    loss_d.backward()
    opt_d.step()

    opt_g.zero_grad()
    loss_g = model.generator_step(batch)
    loss_g.backward()
    opt_g.step()
recorder.close()
print("final losses", round(loss_d.item(), 3), round(loss_g.item(), 3))

with torch.no_grad():
    e = outside.energy(model.sample(1000), toy_jets(1000, rng))
outside.say(e < 0.12, energy=e)
