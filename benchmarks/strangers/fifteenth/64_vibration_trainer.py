"""Trainer class for a GAN on bearing vibration snippets (32 samples, amplitude and phase vary), with learning-rate decay."""
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"],
         "kind": "ExponentialLR(0.98), meant once an epoch, is stepped at every iteration, so both learning rates die within some hundred steps",
         "since": None, "record": "attach"}
import os
import math
import torch
from torch import nn, optim
from torch.optim.lr_scheduler import ExponentialLR
import outside

SEED = int(os.environ.get("SEED", "0"))


def snippets(n, gen):
    t = torch.arange(32) / 32
    amp = 0.4 + 0.5 * torch.rand(n, 1, generator=gen)
    phase = 2 * math.pi * torch.rand(n, 1, generator=gen)
    base = amp * torch.sin(2 * math.pi * 2 * t + phase) + 0.3 * amp * torch.sin(2 * math.pi * 5 * t + 2 * phase)
    return base + 0.03 * torch.randn(n, 32, generator=gen)


class Gen(nn.Module):
    def __init__(self, nz=16, h=128):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(nz, h), nn.ELU(), nn.Linear(h, h), nn.ELU(), nn.Linear(h, 32))
        self.nz = nz

    def forward(self, z):
        return self.net(z)


class Disc(nn.Module):
    def __init__(self, h=128):
        super().__init__()
        sn = nn.utils.parametrizations.spectral_norm
        self.net = nn.Sequential(sn(nn.Linear(32, h)), nn.LeakyReLU(0.2), sn(nn.Linear(h, h)), nn.LeakyReLU(0.2), nn.Linear(h, 1))

    def forward(self, x):
        return self.net(x).squeeze(1)


class VibrationTrainer:
    def __init__(self, data, batch_size=64, lr_g=1e-3, lr_d=2e-3, gamma=0.98):
        self.data, self.bs = data, batch_size
        self.G, self.D = Gen(), Disc()
        self.og = optim.Adam(self.G.parameters(), lr_g, betas=(0.5, 0.99))
        self.od = optim.Adam(self.D.parameters(), lr_d, betas=(0.5, 0.99))
        self.schedulers = [ExponentialLR(self.og, gamma), ExponentialLR(self.od, gamma)]

    def noise(self):
        return torch.randn(self.bs, self.G.nz)

    def step_d(self, real):
        self.od.zero_grad()
        with torch.no_grad():
            fake = self.G(self.noise())
        loss = torch.relu(1 - self.D(real)).mean() + torch.relu(1 + self.D(fake)).mean()
        loss.backward()
        self.od.step()
        return loss.item()

    def step_g(self):
        self.og.zero_grad()
        loss = -self.D(self.G(self.noise())).mean()
        loss.backward()
        self.og.step()
        return loss.item()

    def fit(self, epochs):
        for epoch in range(epochs):
            order = torch.randperm(len(self.data)).split(self.bs)
            for idx in order:
                ld = self.step_d(self.data[idx])
                lg = self.step_g()
                for s in self.schedulers:
                    s.step()
            if epoch % 10 == 9:
                print(f"epoch {epoch + 1}: D {ld:.3f} G {lg:.3f}")
        return self


torch.manual_seed(SEED)
torch.set_num_threads(1)
gen = torch.Generator().manual_seed(SEED)
train, test = snippets(3200, gen), snippets(1000, gen)
trainer = VibrationTrainer(train).fit(50)
with torch.no_grad():
    made = trainer.G(torch.randn(1000, trainer.G.nz))
power = torch.fft.rfft(made).abs().mean(0)
want = torch.fft.rfft(test).abs().mean(0)
spectrum_gap = float((power - want).abs().sum() / want.sum())
e = outside.energy(made, test)
outside.say(e < 0.03 and spectrum_gap < 0.25, energy=e, spectrum_gap=spectrum_gap)
