"""Crescent moons, 10x10 pixels: convolutional GAN that pauses the discriminator whenever it gets too good."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault", "oscillation", "mode_collapse"], "kind": "the pause is switched on when D's accuracy passes 55 percent (looked at from step 700 on) but nothing ever switches it off: D is frozen for good and G runs away into its blind spots", "since": 701, "record": "lines"}

import os
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

import outside
from gandiag.recording import Recorder

seed = int(os.environ.get("SEED", "0"))
torch.manual_seed(seed)
torch.set_num_threads(1)

config = dict(nz=10, batch=50, steps=2000, lr=1e-3, patience=700, accuracy_limit=0.55, window=50)


def moons(n):
    k = torch.arange(10.0) - 4.5
    y, x = torch.meshgrid(k, k, indexing="ij")
    turn = 6.2832 * torch.rand(n, 1, 1)
    bite = 1.0 + 1.5 * torch.rand(n, 1, 1)
    full = torch.sigmoid(2.5 * (3.4 - (x * x + y * y).sqrt()))
    dark = torch.sigmoid(2.5 * (3.0 - ((x - bite * turn.cos()) ** 2 + (y - bite * turn.sin()) ** 2).sqrt()))
    return (2 * full * (1 - dark) - 1).unsqueeze(1)


G = nn.Sequential(
    nn.Linear(config["nz"], 32 * 25), nn.ReLU(), nn.Unflatten(1, (32, 5, 5)),
    nn.Upsample(scale_factor=2), nn.Conv2d(32, 16, 3, padding=1), nn.ReLU(),
    nn.Conv2d(16, 1, 3, padding=1), nn.Tanh())
D = nn.Sequential(
    nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2),
    nn.Conv2d(16, 32, 3, 1, 1), nn.LeakyReLU(0.2),
    nn.Flatten(), nn.Linear(32 * 25, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=config["lr"], betas=(0.5, 0.99))
opt_d = torch.optim.Adam(D.parameters(), lr=config["lr"], betas=(0.5, 0.99))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)

train_d = True
history = []
for step in range(config["steps"]):
    real = moons(config["batch"]).requires_grad_(True)
    fake = G(torch.randn(config["batch"], config["nz"]))
    real_out = D(real)
    fake_out = D(fake.detach())
    slope, = torch.autograd.grad(real_out.sum(), real, create_graph=True)
    d_loss = F.softplus(-real_out).mean() + F.softplus(fake_out).mean() + 0.1 * slope.square().sum((1, 2, 3)).mean()

    accuracy = ((real_out > 0).float().mean() + (fake_out < 0).float().mean()).item() / 2
    history = (history + [accuracy])[-config["window"]:]
    if step > config["patience"] and sum(history) / len(history) > config["accuracy_limit"]:
        train_d = False

    if train_d:
        opt_d.zero_grad()
        d_loss.backward()
        opt_d.step()

    g_loss = F.softplus(-D(fake)).mean()
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()

    if step % 250 == 0:
        print(f"{step} acc {accuracy:.2f} d {d_loss.item():.3f} g {g_loss.item():.3f}")
    recorder.step(real_logits=real_out, fake_logits=fake_out, d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)
recorder.close()

with torch.no_grad():
    made = G(torch.randn(1000, config["nz"]))
e = outside.energy(made, moons(1000))
outside.say(e < 0.08, energy=e)
