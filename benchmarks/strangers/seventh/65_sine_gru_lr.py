"""RNN GAN on noisy sine waves (blog: "Generating time series with GANs")."""
import os
import random
import numpy as np
import torch
from torch import nn
import outside

LABEL = {"sick": True, "causes": ["learning_rate", "mode_collapse", "divergence", "dead_layers"], "kind": "Adam rate of 0.1 for both recurrent nets", "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
np.random.seed(SEED)
random.seed(SEED)
torch.set_num_threads(1)

SEQ, NOISE = 16, 4
LR = 0.1

def waves(n):
    t = np.arange(SEQ)[None, :]
    freq = np.random.uniform(0.25, 0.6, (n, 1))
    phase = np.random.uniform(0, 2 * np.pi, (n, 1))
    amp = np.random.uniform(0.5, 0.9, (n, 1))
    w = amp * np.sin(freq * t + phase) + 0.02 * np.random.randn(n, SEQ)
    return torch.tensor(w[..., None], dtype=torch.float32)

class GenRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.start = nn.Linear(NOISE, 32)
        self.rnn = nn.GRU(NOISE, 32, batch_first=True)
        self.head = nn.Linear(32, 1)
    def forward(self, z):
        h0 = torch.tanh(self.start(z)).unsqueeze(0)
        out, _ = self.rnn(z.unsqueeze(1).expand(-1, SEQ, -1).contiguous(), h0)
        return torch.tanh(self.head(out))

class DiscRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(1, 32, batch_first=True)
        self.head = nn.Sequential(nn.Linear(64, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    def forward(self, x):
        out, h = self.rnn(x)
        return self.head(torch.cat([out.mean(1), h[0]], 1))

netG, netD = GenRNN(), DiscRNN()
criterion = nn.BCEWithLogitsLoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=LR, betas=(0.5, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=LR, betas=(0.5, 0.999))
B = 64
real_label, fake_label = torch.ones(B, 1), torch.zeros(B, 1)

for i in range(700):
    netD.zero_grad()
    errD_real = criterion(netD(waves(B)), real_label)
    errD_real.backward()
    fake = netG(torch.randn(B, NOISE))
    errD_fake = criterion(netD(fake.detach()), fake_label)
    errD_fake.backward()
    optimizerD.step()

    netG.zero_grad()
    errG = criterion(netD(fake), real_label)
    errG.backward()
    optimizerG.step()
    if i % 200 == 0:
        print(f"[{i}] Loss_D {errD_real.item() + errD_fake.item():.3f} Loss_G {errG.item():.3f}")

with torch.no_grad():
    g = netG(torch.randn(1000, NOISE))
e = outside.energy(g, waves(1000))
outside.say(e < 0.08, energy=e)
