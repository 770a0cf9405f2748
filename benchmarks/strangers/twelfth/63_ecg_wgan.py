"""WGAN-GP that synthesises single heart beats (32 samples) for a data sharing project in our cardiology group."""
import os, random, sys
import numpy as np, torch
import torch.nn as nn
import outside

LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"], "kind": "exponential decay meant per epoch is stepped at each iteration, the learning rates die within a hundred steps", "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

LATENT, LENGTH, BATCH, N_CRITIC, LAMBDA_GP = 12, 32, 64, 4, 10.0


def beats(n):
    t = torch.linspace(0, 1, LENGTH)
    u = lambda a, b: a + (b - a) * torch.rand(n, 1)
    shift = u(-0.06, 0.06)
    p = u(0.1, 0.25) * torch.exp(-((t - 0.22 - shift) / 0.05) ** 2)
    q = u(0.8, 1.2) * torch.exp(-((t - 0.42 - shift) / 0.035) ** 2)
    s = -u(0.1, 0.35) * torch.exp(-((t - 0.50 - shift) / 0.03) ** 2)
    w = u(0.2, 0.4) * torch.exp(-((t - 0.72 - shift) / u(0.06, 0.09)) ** 2)
    return p + q + s + w + 0.02 * torch.randn(n, LENGTH)


dataset = beats(4000)

G = nn.Sequential(nn.Linear(LATENT, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, LENGTH))
critic = nn.Sequential(nn.Unflatten(1, (1, LENGTH)), nn.Conv1d(1, 16, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(16, 32, 5, 2, 2), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(32 * 8, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
optG = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.9))
optC = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
schedulers = [torch.optim.lr_scheduler.ExponentialLR(o, gamma=0.95) for o in (optG, optC)]
STEPS_PER_EPOCH = len(dataset) // BATCH


def gradient_penalty(real, fake):
    a = torch.rand(len(real), 1)
    mix = (a * real + (1 - a) * fake).requires_grad_(True)
    g, = torch.autograd.grad(critic(mix).sum(), mix, create_graph=True)
    return ((g.norm(2, dim=1) - 1) ** 2).mean()


history = {"wasserstein": [], "gp": []}
for step in range(900):
    for _ in range(N_CRITIC):
        real = dataset[torch.randint(0, len(dataset), (BATCH,))]
        fake = G(torch.randn(BATCH, LATENT)).detach()
        wasserstein = critic(real).mean() - critic(fake).mean()
        gp = gradient_penalty(real, fake)
        critic_loss = -wasserstein + LAMBDA_GP * gp
        optC.zero_grad()
        critic_loss.backward()
        optC.step()
    g_loss = -critic(G(torch.randn(BATCH, LATENT))).mean()
    optG.zero_grad()
    g_loss.backward()
    optG.step()
    for sch in schedulers:
        sch.step()
    history["wasserstein"].append(wasserstein.item())
    history["gp"].append(gp.item())
    if step % 150 == 0:
        print(f"[{step}] W={history['wasserstein'][-1]:.3f} gp={history['gp'][-1]:.3f}")

with torch.no_grad():
    fake = G(torch.randn(1000, LATENT))
e = outside.energy(fake, beats(1000))
peak = fake.argmax(1).float() / LENGTH
outside.say(e < 0.06, energy=e, peak=peak.mean().item())
