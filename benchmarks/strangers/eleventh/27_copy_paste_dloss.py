"""Vanilla GAN on an S-shaped 2-D curve, TensorFlow tutorial rewritten in PyTorch with helper loss functions."""
LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_weakness", "stagnation"], "kind": "copy-paste in the discriminator loss: the 'fake' term is given the real batch's output again", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_s_curve
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

cross_entropy = nn.BCEWithLogitsLoss()

def discriminator_loss(real_output, fake_output):
    real_loss = cross_entropy(real_output, torch.ones_like(real_output))
    fake_loss = cross_entropy(real_output, torch.zeros_like(real_output))
    return real_loss + fake_loss

def generator_loss(fake_output):
    return cross_entropy(fake_output, torch.ones_like(fake_output))

pts = make_s_curve(5000, noise=0.05, random_state=SEED)[0][:, [0, 2]]
pts = torch.tensor(pts / pts.std(0), dtype=torch.float32)

def make_generator():
    return nn.Sequential(nn.Linear(6, 64), nn.BatchNorm1d(64), nn.LeakyReLU(0.3), nn.Linear(64, 96), nn.LeakyReLU(0.3), nn.Linear(96, 2))

def make_discriminator():
    return nn.Sequential(nn.Linear(2, 96), nn.LeakyReLU(0.3), nn.Linear(96, 96), nn.LeakyReLU(0.3), nn.Linear(96, 1))

generator, discriminator = make_generator(), make_discriminator()
generator_optimizer = torch.optim.Adam(generator.parameters(), 1e-3, betas=(0.5, 0.999))
discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), 1e-3, betas=(0.5, 0.999))
rec = gandiag.Recorder(sys.argv[1], generator=generator, discriminator=discriminator, generator_optimizer=generator_optimizer, discriminator_optimizer=discriminator_optimizer)

def train_step(batch):
    noise = torch.randn(len(batch), 6)
    generated = generator(noise)
    real_output = discriminator(batch)
    fake_output = discriminator(generated.detach())
    disc_loss = discriminator_loss(real_output, fake_output)
    discriminator_optimizer.zero_grad()
    disc_loss.backward()
    discriminator_optimizer.step()
    gen_loss = generator_loss(discriminator(generated))
    generator_optimizer.zero_grad()
    gen_loss.backward()
    generator_optimizer.step()
    return disc_loss, gen_loss

for step in range(3200):
    dl, gl = train_step(pts[torch.randint(len(pts), (128,))])
    rec.step(d_loss=dl, g_loss=gl)
    if step % 800 == 0:
        print(step, dl.item(), gl.item())
rec.close()
with torch.no_grad():
    s = generator(torch.randn(1000, 6))
e = outside.energy(s, pts[:1000])
outside.say(e < 0.03, energy=e)
