"""Sines recurrent."""
# C-RNN-GAN style baseline on synthetic vital signs (sine waves with random phase and frequency)
import os
import random
import sys
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance"],
         "kind": "saturating log(1 - D) with five updates of D for one of G: D is sure, G hears nothing",
         "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

T, LATENT, HID, BATCH, STEPS = 16, 6, 24, 32, 300
N_CRITIC = 5
EPS = 1e-8


def vitals(n):
    t = torch.arange(T).float()
    phase = 2 * np.pi * torch.rand(n, 1)
    freq = 0.5 + 0.3 * torch.rand(n, 1)
    return (0.8 * torch.sin(freq * t + phase) + 0.02 * torch.randn(n, T)).unsqueeze(-1)


class RecurrentGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Linear(LATENT, HID)
        self.rnn = nn.GRU(LATENT, HID, batch_first=True)
        self.head = nn.Linear(HID, 1)

    def forward(self, z):
        h0 = torch.tanh(self.inp(z)).unsqueeze(0)
        out, _ = self.rnn(z.unsqueeze(1).expand(-1, T, -1).contiguous(), h0)
        return torch.tanh(self.head(out))


class ConvDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(1, 32, 5, padding=2), nn.LeakyReLU(0.2),
            nn.Conv1d(32, 32, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
            nn.Flatten(), nn.Linear(32 * T // 2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1), nn.Sigmoid())

    def forward(self, x):
        return self.body(x.transpose(1, 2))


G = RecurrentGenerator()
D = ConvDiscriminator()
opt_G = torch.optim.Adam(G.parameters(), lr=2e-3, betas=(0.5, 0.99))
opt_D = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.99))

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_G,
                      discriminator_optimizer=opt_D, discriminator_output="probability") as rec:
    for step in range(STEPS):
        for _ in range(N_CRITIC):
            real = vitals(BATCH)
            with torch.no_grad():
                fake = G(torch.randn(BATCH, LATENT))
            p_real, p_fake = D(real), D(fake)
            d_loss = -(torch.log(p_real + EPS) + torch.log(1.0 - p_fake + EPS)).mean()
            opt_D.zero_grad()
            d_loss.backward()
            opt_D.step()

        fake = G(torch.randn(BATCH, LATENT))
        g_loss = torch.log(1.0 - D(fake) + EPS).mean()
        opt_G.zero_grad()
        g_loss.backward()
        opt_G.step()
        rec.step(d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)

with torch.no_grad():
    s = G(torch.randn(1000, LATENT))
torch.manual_seed(123)
e = outside.energy(s, vitals(1000))
outside.say(e < 0.06, energy=e)
