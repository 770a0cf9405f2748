"""Standardised heartbeats (24 samples each) from a small transposed-convolution generator."""
import os
import torch
from torch import nn
from torch.nn import functional as F
import outside

LABEL = {"sick": True, "causes": ["data_mismatch"],
         "kind": "z-scored series reach 4 sd, the generator ends in tanh and cannot: peaks cut off at 1", "since": 0, "record": "attach"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

def raw_beats(n, g=None):
    t = torch.arange(24).float()
    shift = 9 + 4 * torch.rand(n, 1, generator=g)
    height = 60 + 40 * torch.rand(n, 1, generator=g)
    wave = height * torch.exp(-0.5 * ((t - shift) / 0.8) ** 2) - 18 * torch.exp(-0.5 * ((t - shift - 2.2) / 0.8) ** 2)
    wave = wave + (10 + 10 * torch.rand(n, 1, generator=g)) * torch.exp(-0.5 * ((t - shift - 7) / 1.6) ** 2)
    return wave + 2 * torch.randn(n, 24, generator=g)

raw = raw_beats(4000, torch.Generator().manual_seed(1))
mu, sigma = raw.mean(), raw.std()
dataset = torch.utils.data.TensorDataset(((raw - mu) / sigma).unsqueeze(1))
loader = torch.utils.data.DataLoader(dataset, batch_size=64, shuffle=True, drop_last=True)

class BeatGenerator(nn.Module):
    latent = 16
    def __init__(self):
        super().__init__()
        self.head = nn.Sequential(nn.Linear(self.latent, 48 * 6), nn.LeakyReLU(0.2))
        self.body = nn.Sequential(
            nn.ConvTranspose1d(48, 32, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.ConvTranspose1d(32, 24, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv1d(24, 1, 5, padding=2))
        self.squash = nn.Tanh()
    def forward(self, z):
        return self.squash(self.body(self.head(z).view(-1, 48, 6)))

class BeatCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(1, 24, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(24, 48, 5, 2, 2), nn.LeakyReLU(0.2), nn.Flatten(),
            nn.Linear(48 * 6, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
    def forward(self, x):
        return self.body(x)

gen, critic = BeatGenerator(), BeatCritic()
optim_g = torch.optim.Adam(gen.parameters(), lr=6e-4, betas=(0.0, 0.99))
optim_d = torch.optim.Adam(critic.parameters(), lr=6e-4, betas=(0.0, 0.99))
for epoch in range(24):
    for (beat,) in loader:
        beat.requires_grad_(True)
        fake = gen(torch.randn(64, gen.latent))
        pr, pf = critic(beat), critic(fake.detach())
        r1 = torch.autograd.grad(pr.sum(), beat, create_graph=True)[0].flatten(1).pow(2).sum(1).mean()
        loss = F.softplus(-pr).mean() + F.softplus(pf).mean() + 0.05 * r1
        optim_d.zero_grad()
        loss.backward()
        optim_d.step()
        loss = F.softplus(-critic(fake)).mean()
        optim_g.zero_grad()
        loss.backward()
        optim_g.step()

with torch.no_grad():
    synth = gen(torch.randn(1000, gen.latent)).squeeze(1) * sigma + mu
held = raw_beats(1000)
e = outside.energy(synth, held)
peak = (synth.max(1).values.mean() / held.max(1).values.mean()).item()
outside.say(e < 0.03 and 0.88 < peak < 1.12, energy=e, peak=peak)
