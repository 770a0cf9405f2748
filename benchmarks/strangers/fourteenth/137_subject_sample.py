"""How far does a small study sample reach? A curved 5-dimensional law in 16 dimensions, wide discriminator."""
LABEL = {"sick": True, "causes": ["discriminator_overfitting", "memorisation"], "kind": "only 30 training points for a wide unregularised D: it learns them by heart and G is drawn to those points", "since": None, "record": "lines"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

LATENT, AMBIENT = 5, 16
A = torch.randn(LATENT, AMBIENT) / LATENT ** 0.5
Bm = torch.randn(LATENT, AMBIENT) / LATENT ** 0.5


def law(n):
    u = torch.randn(n, LATENT)
    return u @ A + 0.5 * torch.sin(2 * u @ Bm) + 0.1 * torch.randn(n, AMBIENT)


N_TRAIN = 30
train = law(N_TRAIN)
held_out = law(2000)

G = nn.Sequential(nn.Linear(12, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, AMBIENT))
D = nn.Sequential(nn.Linear(AMBIENT, 256), nn.LeakyReLU(0.2), nn.Linear(256, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=3e-4, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=3e-4, betas=(0.5, 0.999))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)

BATCH = 64
for step in range(3500):
    real = train[torch.randint(N_TRAIN, (BATCH,))]
    fake = G(torch.randn(BATCH, 12))
    real_logits, fake_logits = D(real), D(fake.detach())
    d_loss = F.binary_cross_entropy_with_logits(real_logits, torch.ones_like(real_logits)) \
        + F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()

    out = D(fake)
    g_loss = F.binary_cross_entropy_with_logits(out, torch.ones_like(out))
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
    recorder.step(real_logits=real_logits, fake_logits=fake_logits, d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)

    if step % 500 == 0:
        print(f"{step:5d}: d {d_loss.item():.3f} g {g_loss.item():.3f}")
recorder.close()

with torch.no_grad():
    y = G(torch.randn(2000, 12))
e = outside.energy(y, held_out)
# how near is an unseen point to its nearest sample, against two unseen samples of the law
reach = torch.cdist(held_out[:1000], y[:1000]).min(1).values.mean().item()
own = torch.cdist(held_out[:1000], held_out[1000:]).min(1).values.mean().item()
outside.say(e < 0.02 and reach / own < 1.3, energy=e, reach_ratio=reach / own)
