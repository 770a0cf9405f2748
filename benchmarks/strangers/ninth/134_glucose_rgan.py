"""Glucose rgan."""
# RGAN (recurrent GAN) for continuous glucose monitoring: 12 readings (4 h) around a meal
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "oscillation", "divergence", "discriminator_weakness"],
         "kind": "zero_grad is never called for the discriminator: its gradients pile up (those of G's loss included)",
         "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

seq_len, z_dim, h_dim, bs = 12, 6, 32, 64


def cgm(n, rng):
    t = np.arange(seq_len) / 3
    base = rng.normal(-0.6, 0.15, (n, 1))
    onset = rng.uniform(0.3, 1.2, (n, 1))
    rise = rng.gamma(6, 0.2, (n, 1))
    tau = rng.uniform(0.5, 0.9, (n, 1))
    u = np.clip(t - onset, 0, None) / tau
    return torch.tensor(base + rise * u * np.exp(1 - u) + 0.04 * rng.standard_normal((n, seq_len)), dtype=torch.float32)[..., None]


class RNNGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(z_dim, h_dim)
        self.rnn = nn.GRU(z_dim + 1, h_dim, batch_first=True)
        self.readout = nn.Linear(h_dim, 1)
        self.register_buffer("clock", torch.linspace(-1, 1, seq_len)[None, :, None])

    def forward(self, z):
        x = torch.cat([z[:, None].expand(-1, seq_len, -1), self.clock.expand(len(z), -1, -1)], 2)
        h, _ = self.rnn(x, torch.tanh(self.first(z))[None])
        return self.readout(h)


class WindowDiscriminator(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(seq_len, width), nn.LeakyReLU(0.2),
                                 nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))

    def forward(self, x):
        return self.net(x)


rng = np.random.default_rng(400 + SEED)
traces = cgm(3000, rng)
G, D = RNNGenerator(), WindowDiscriminator()
optim_gen = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.99))
optim_disc = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.99))
criterion = nn.BCEWithLogitsLoss()
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=optim_gen, discriminator_optimizer=optim_disc)

for step in range(1200):
    real = traces[torch.randint(len(traces), (bs,))]

    fake = G(torch.randn(bs, z_dim))
    out_r, out_f = D(real), D(fake.detach())
    d_loss = criterion(out_r, torch.ones(bs, 1)) + criterion(out_f, torch.zeros(bs, 1))
    d_loss.backward()
    optim_disc.step()

    optim_gen.zero_grad()
    g_loss = criterion(D(fake), torch.ones(bs, 1))
    g_loss.backward()
    optim_gen.step()

    rec.step(d_loss=d_loss, g_loss=g_loss, real_logits=out_r, fake_logits=out_f)
    if step % 400 == 0:
        print("step %4d  D %.3f  G %.3f" % (step, d_loss.item(), g_loss.item()))
rec.close()

with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, z_dim)), cgm(1000, rng))
outside.say(e < 0.08, energy=e)
