"""Recurrent GAN (RGAN, Esteban et al.) for short sine waves: GRU generator and GRU discriminator."""
LABEL = {"sick": False, "causes": [], "kind": "recurrent nets, gradient clipping, few steps (600), rates decay to nothing in the last third", "since": None, "record": "automatic"}
import os
import random
import sys
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

T, NZ, HID, BATCH, STEPS = 10, 4, 32, 48, 600


def waves(n):
    t = torch.arange(T).float()
    freq = 0.35 + 0.25 * torch.rand(n, 1)
    phase = 2 * np.pi * torch.rand(n, 1)
    amp = 0.5 + 0.4 * torch.rand(n, 1)
    return (amp * torch.sin(freq * t + phase)).unsqueeze(-1)


class WaveG(nn.Module):
    def __init__(self):
        super().__init__()
        self.init = nn.Linear(NZ, HID)
        self.rnn = nn.GRU(NZ, HID, batch_first=True)
        self.readout = nn.Linear(HID, 1)

    def forward(self, z):
        h0 = torch.tanh(self.init(z)).unsqueeze(0)
        h, _ = self.rnn(z.unsqueeze(1).expand(-1, T, -1), h0)
        return self.readout(h)


class WaveD(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(1, HID, batch_first=True)
        self.readout = nn.Linear(2 * HID, 1)

    def forward(self, x):
        h, last = self.rnn(x)
        return self.readout(torch.cat([h.mean(1), last[0]], 1))


G, D = WaveG(), WaveD()
g_opt = torch.optim.Adam(G.parameters(), lr=2e-3, betas=(0.5, 0.99))
d_opt = torch.optim.Adam(D.parameters(), lr=4e-3, betas=(0.5, 0.99))
decay = lambda s: min(1.0, max(0.0, (STEPS - s) / (STEPS / 3)))
sch = [torch.optim.lr_scheduler.LambdaLR(o, decay) for o in (g_opt, d_opt)]
loss = nn.BCEWithLogitsLoss()
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True) as rec:
    for s in range(STEPS):
        x, fake = waves(BATCH), G(torch.randn(BATCH, NZ))
        d_opt.zero_grad()
        ld = loss(D(x), torch.ones(BATCH, 1)) + loss(D(fake.detach()), torch.zeros(BATCH, 1))
        ld.backward()
        nn.utils.clip_grad_norm_(D.parameters(), 5.0)
        d_opt.step()
        g_opt.zero_grad()
        lg = loss(D(fake), torch.ones(BATCH, 1))
        lg.backward()
        nn.utils.clip_grad_norm_(G.parameters(), 5.0)
        g_opt.step()
        for q in sch:
            q.step()
        if s % 150 == 0:
            print(s, ld.item(), lg.item())

with torch.no_grad():
    w = G(torch.randn(1000, NZ))
e = outside.energy(w, waves(1000))
outside.say(e < 0.06, energy=e)
