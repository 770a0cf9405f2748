"""Train in two sessions: the second one resumes from the checkpoint of the first."""
import io
import os
import random

import numpy as np
import torch
from torch import nn

import outside

LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "discriminator_dominance"],
         "kind": "on resuming the generator is built anew and loaded, but its optimizer still holds the old one's parameters: G stands still while D goes on",
         "since": 40, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

LATENT, BS = 32, 64


class Generator(nn.Module):
    def __init__(self, hidden=192):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(LATENT, hidden), nn.BatchNorm1d(hidden), nn.LeakyReLU(0.2),
            nn.Linear(hidden, hidden), nn.BatchNorm1d(hidden), nn.LeakyReLU(0.2),
            nn.Linear(hidden, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))

    def forward(self, z):
        return self.net(z)


class Discriminator(nn.Module):
    def __init__(self, hidden=192):
        super().__init__()
        self.net = nn.Sequential(
            nn.Flatten(), nn.Linear(64, hidden), nn.LeakyReLU(0.2), nn.Dropout(0.3),
            nn.Linear(hidden, hidden), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(hidden, 1))

    def forward(self, x):
        return self.net(x)


class Session:
    def __init__(self):
        self.x, _ = outside.digits()
        self.G, self.D = Generator(), Discriminator()
        self.optG = torch.optim.Adam(self.G.parameters(), lr=2.5e-4, betas=(0.5, 0.999))
        self.optD = torch.optim.Adam(self.D.parameters(), lr=2.5e-4, betas=(0.5, 0.999))
        self.loss = nn.BCEWithLogitsLoss()
        self.step = 0

    def save(self):
        f = io.BytesIO()
        torch.save({"G": self.G.state_dict(), "D": self.D.state_dict(), "optG": self.optG.state_dict(),
                    "optD": self.optD.state_dict(), "step": self.step}, f)
        f.seek(0)
        return f

    def resume(self, f):
        ckpt = torch.load(f)
        self.G = Generator()
        self.G.load_state_dict(ckpt["G"])
        self.D.load_state_dict(ckpt["D"])
        self.optG.load_state_dict(ckpt["optG"])
        self.optD.load_state_dict(ckpt["optD"])
        self.step = ckpt["step"]

    def train(self, until):
        while self.step < until:
            real = self.x[torch.randint(len(self.x), (BS,))]
            fake = self.G(torch.randn(BS, LATENT))
            self.optD.zero_grad()
            dr, df = self.D(real), self.D(fake.detach())
            d = self.loss(dr, torch.full_like(dr, 0.9)) + self.loss(df, torch.zeros_like(df))
            d.backward()
            self.optD.step()
            self.optG.zero_grad()
            df = self.D(fake)
            g = self.loss(df, torch.ones_like(df))
            g.backward()
            self.optG.step()
            self.step += 1
        print("step", self.step, "d", round(d.item(), 3), "g", round(g.item(), 3))


s = Session()
s.train(40)
checkpoint = s.save()
s.resume(checkpoint)
s.train(900)

s.G.eval()
with torch.no_grad():
    out = s.G(torch.randn(1000, LATENT))
e = outside.energy(out, s.x[torch.randperm(len(s.x))])
classes, ratio, _ = outside.digit_quality(out)
outside.say(e < 0.08 and classes >= 8, energy=e, classes=classes, ratio=ratio)
