"""PacGAN on the eight-Gaussian ring: does a pack of four help to keep all modes?"""
LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_dominance", "data_mismatch", "mode_collapse", "vanishing_generator_gradient"], "kind": "one noise vector is expanded over the whole pack, so fake packs hold four equal points and D always knows them", "since": 0, "record": "attach"}
import os, math, random
import numpy as np
import torch
import torch.nn as nn
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

N_MODES, RADIUS, SIGMA = 8, 2.0, 0.08
PACK = 4
ZDIM = 4
BATCH = 96
STEPS = 2500

angles = torch.arange(N_MODES) * 2 * math.pi / N_MODES
CENTRES = RADIUS * torch.stack([angles.cos(), angles.sin()], 1)


def ring(n):
    return CENTRES[torch.randint(N_MODES, (n,))] + SIGMA * torch.randn(n, 2)


class Generator(nn.Module):
    def __init__(self, zdim=ZDIM, width=128):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(zdim, width), nn.ReLU(),
                                  nn.Linear(width, width), nn.ReLU(),
                                  nn.Linear(width, 2))

    def forward(self, z):
        return self.body(z)


class PackedDiscriminator(nn.Module):
    """Sees `pack` points side by side."""

    def __init__(self, pack=PACK, width=128):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2 * pack, width), nn.LeakyReLU(0.2),
                                  nn.Linear(width, width), nn.LeakyReLU(0.2),
                                  nn.Linear(width, 1))

    def forward(self, packed):
        return self.body(packed).squeeze(1)


def as_packs(points):
    """(batch, pack, 2) -> (batch, 2 * pack)"""
    return points.reshape(points.shape[0], -1)


G, D = Generator(), PackedDiscriminator()
opt_g = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)


def fake_packs():
    z = torch.randn(BATCH, 1, ZDIM).expand(BATCH, PACK, ZDIM)
    return as_packs(G(z))


for step in range(STEPS):
    # --- discriminator
    real = as_packs(ring(BATCH * PACK).view(BATCH, PACK, 2))
    fake = fake_packs().detach()
    loss_d = bce(D(real), ones) + bce(D(fake), zeros)
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()

    # --- generator
    loss_g = bce(D(fake_packs()), ones)
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()

    if step % 500 == 0:
        print(f"{step:5d}  D {loss_d.item():.3f}  G {loss_g.item():.3f}")

with torch.no_grad():
    samples = G(torch.randn(2000, ZDIM))
distance = outside.energy(samples, ring(1000))
covered, near = outside.modes(samples, CENTRES, 4 * SIGMA)
outside.say(covered >= 7 and distance < 0.03 and near > 0.5, energy=distance, modes=covered, near=near)
