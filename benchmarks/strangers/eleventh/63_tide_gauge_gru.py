"""A GRU generator for hourly tide gauge windows of 24 samples, judged by a second GRU."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "discriminator_dominance"], "kind": "the generator step scores fake.detach(), so no gradient ever reaches the generator", "since": 0, "record": "automatic"}
import os, sys, random
import numpy as np, torch
import torch.nn as nn, torch.nn.functional as F
import gandiag
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

T = 24
hours = torch.arange(T).float()

def windows(n):
    ph = 2 * np.pi * torch.rand(n, 1)
    spring = 0.6 + 0.4 * torch.rand(n, 1)
    return (spring * torch.sin(2 * np.pi * hours / 12.4 + ph) + 0.03 * torch.randn(n, T)).unsqueeze(-1)

class G_(nn.Module):
    def __init__(self, z=6, h=32):
        super().__init__()
        self.z = z
        self.init = nn.Linear(z, h)
        self.rnn = nn.GRU(z, h, batch_first=True)
        self.head = nn.Linear(h, 1)
    def forward(self, z):
        seq = z.unsqueeze(1).expand(-1, T, -1)
        out, _ = self.rnn(seq, torch.tanh(self.init(z)).unsqueeze(0))
        return self.head(out)

class D_(nn.Module):
    def __init__(self, h=32):
        super().__init__()
        self.rnn = nn.GRU(1, h, batch_first=True, bidirectional=False)
        self.head = nn.Linear(h, 1)
    def forward(self, x):
        out, _ = self.rnn(x)
        return self.head(out.mean(1))

G, D = G_(), D_()
g_opt = torch.optim.Adam(G.parameters(), 2e-3, betas=(0.5, 0.99))
d_opt = torch.optim.Adam(D.parameters(), 2e-3, betas=(0.5, 0.99))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
for step in range(500):
    real = windows(64)
    fake = G(torch.randn(64, 6)).detach()
    d_loss = F.softplus(-D(real)).mean() + F.softplus(D(fake)).mean()
    d_opt.zero_grad()
    d_loss.backward()
    d_opt.step()

    fake = G(torch.randn(64, 6)).detach()
    g_loss = F.softplus(-D(fake)).mean()
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, 6)), windows(1000))
outside.say(e < 0.05, energy=e)
