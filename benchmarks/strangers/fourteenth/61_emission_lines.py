"""I want synthetic two-line emission spectra to test my line-fitting code (WGAN-GP)."""
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"], "kind": "LambdaLR gets the learning rate itself instead of a factor, so the rate is its square (2.5e-7) and nothing learns", "since": 0, "record": "attach"}
import os
import random
import numpy as np
import torch
from torch import nn
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)

# ---------------------------------------------------------------- spectra
NPIX = 32
LAM = np.linspace(0.0, 1.0, NPIX)


def simulate_spectra(n):
    """Strong line near 0.3, weaker and broader one near 0.7, on a sloped continuum."""
    c1 = np.random.normal(0.30, 0.04, (n, 1))
    c2 = np.random.normal(0.70, 0.05, (n, 1))
    a1 = np.random.uniform(0.6, 1.4, (n, 1))
    a2 = a1 * np.random.uniform(0.3, 0.7, (n, 1))
    slope = np.random.normal(0.0, 0.15, (n, 1))
    s = a1 * np.exp(-0.5 * ((LAM - c1) / 0.05) ** 2) + a2 * np.exp(-0.5 * ((LAM - c2) / 0.09) ** 2)
    s = s + slope * (LAM - 0.5) + 0.02 * np.random.randn(n, NPIX)
    return torch.tensor(s, dtype=torch.float32)


library = simulate_spectra(8000)
mu, sd = library.mean(), library.std()
library = (library - mu) / sd

# ---------------------------------------------------------------- networks
ZDIM = 12
generator = nn.Sequential(nn.Linear(ZDIM, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, NPIX))
critic = nn.Sequential(nn.Linear(NPIX, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
opt_g = torch.optim.Adam(generator.parameters(), lr=5e-4, betas=(0.0, 0.9))
opt_c = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.9))

TOTAL, WARM = 1800, 100


def lr_at(it, base=5e-4):
    """short warm-up, flat, then linear to a tenth"""
    if it < WARM:
        return base * (it + 1) / WARM
    return base * (1.0 if it < TOTAL // 2 else 1.0 - 0.9 * (it - TOTAL // 2) / (TOTAL - TOTAL // 2))


sched_g = torch.optim.lr_scheduler.LambdaLR(opt_g, lr_at)
sched_c = torch.optim.lr_scheduler.LambdaLR(opt_c, lr_at)


def gradient_penalty(real, fake):
    t = torch.rand(len(real), 1)
    mix = (t * real + (1 - t) * fake).requires_grad_(True)
    out = critic(mix)
    g = torch.autograd.grad(outputs=out, inputs=mix, grad_outputs=torch.ones_like(out),
                            create_graph=True, retain_graph=True, only_inputs=True)[0]
    return ((g.norm(2, dim=1) - 1) ** 2).mean()


BATCH, N_CRITIC, LAMBDA = 64, 4, 10.0
for it in range(TOTAL):
    for _ in range(N_CRITIC):
        real = library[torch.randint(0, len(library), (BATCH,))]
        with torch.no_grad():
            fake = generator(torch.randn(BATCH, ZDIM))
        loss_c = critic(fake).mean() - critic(real).mean() + LAMBDA * gradient_penalty(real, fake)
        opt_c.zero_grad()
        loss_c.backward()
        opt_c.step()

    loss_g = -critic(generator(torch.randn(BATCH, ZDIM))).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    sched_g.step()
    sched_c.step()
    if it % 300 == 0:
        print(f"{it:5d}  critic {loss_c.item():.3f}  gen {loss_g.item():.3f}")

# ---------------------------------------------------------------- check
with torch.no_grad():
    made = generator(torch.randn(1000, ZDIM)) * sd + mu
fresh = simulate_spectra(1000)
e = outside.energy(made, fresh)
outside.say(e < 0.05, energy=e, peak_made=float(made.max(1).values.mean()), peak_true=float(fresh.max(1).values.mean()))
