"""Molecule vectors."""
# GAN on molecular fingerprints (count vectors) - follows the original 2014 objective
import os, random, sys
import numpy as np
import torch, torch.nn as nn
import gandiag, outside

LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance", "objective_fault"],
         "kind": "saturating minimax loss against a discriminator trained five times as often: D wins at once, G gets no gradient",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

B, NZ, BITS, K = 64, 16, 32, 5


def fragments_to_fingerprints(n, rng):
    """every molecule holds 3-6 of 12 fragments, every fragment switches on a handful of (soft) bits"""
    frag = np.random.default_rng(1).random((12, BITS)) < 0.2
    has = np.array([rng.permutation(np.arange(12) < rng.integers(3, 7)) for _ in range(n)])
    fp = np.clip(has.astype(float) @ frag, 0, 3)
    return torch.tensor(fp + 3.0 + 0.05 * rng.standard_normal(fp.shape), dtype=torch.float32)


rng = np.random.default_rng(SEED + 50)
mols = fragments_to_fingerprints(4000, rng)

gen = nn.Sequential(nn.Linear(NZ, 96), nn.LayerNorm(96), nn.GELU(), nn.Linear(96, 96), nn.GELU(), nn.Linear(96, BITS))
disc = nn.Sequential(nn.Linear(BITS, 96), nn.LeakyReLU(.2), nn.Linear(96, 96), nn.LeakyReLU(.2), nn.Linear(96, 1))
g_opt = torch.optim.Adam(gen.parameters(), lr=5e-4, betas=(.5, .999))
d_opt = torch.optim.Adam(disc.parameters(), lr=5e-4, betas=(.5, .999))
bce = nn.BCEWithLogitsLoss()

rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=disc, generator_optimizer=g_opt,
                       discriminator_optimizer=d_opt, automatic=True)
for it in range(1000):
    for _ in range(K):
        x = mols[torch.randint(0, 4000, (B,))]
        z = torch.randn(B, NZ)
        d_loss = bce(disc(x), torch.ones(B, 1)) + bce(disc(gen(z).detach()), torch.zeros(B, 1))
        d_opt.zero_grad()
        d_loss.backward()
        d_opt.step()
    z = torch.randn(B, NZ)
    g_loss = -bce(disc(gen(z)), torch.zeros(B, 1))
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
    if it % 500 == 499:
        print(it + 1, "d", round(d_loss.item(), 4), "g", round(g_loss.item(), 4))
rec.close()

with torch.no_grad():
    fake = gen(torch.randn(1000, NZ))
e = outside.energy(fake, fragments_to_fingerprints(1000, rng))
outside.say(e < 0.15, energy=e)
