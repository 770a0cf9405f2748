"""Windows of turbine vibration, read shard after shard, each window brought to zero mean and unit deviation."""
LABEL = {"sick": True, "causes": ["numerical_failure", "data_mismatch"], "kind": "a stand-still window in the third shard has deviation 0 and normalises to NaN", "since": 300, "record": "automatic"}
import math, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
L = 32

def vibration(n):
    t = torch.arange(L) / L
    f = 1 + 2 * torch.rand(n, 1)
    ph = 2 * math.pi * torch.rand(n, 1)
    x = torch.sin(2 * math.pi * f * t + ph) + 0.4 * torch.sin(4 * math.pi * f * t + 2 * ph)
    return (0.2 + torch.rand(n, 1)) * x + 3 * torch.rand(n, 1)

def read_shards():
    shards = [vibration(1600) for _ in range(4)]
    shards[2][::40] = shards[2][::40, :1]
    return shards

def standardise(w):
    return (w - w.mean(1, keepdim=True)) / w.std(1, keepdim=True)

def windows(shards, batch, visits):
    for _ in range(visits):
        for shard in shards:
            order = torch.randperm(len(shard))
            for i in range(0, 150 * batch, batch):
                idx = order[torch.arange(i, i + batch) % len(shard)]
                yield standardise(shard[idx]).unsqueeze(1)

class UpBlock(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv = nn.Conv1d(i, o, 5, padding=2)
    def forward(self, x):
        return F.relu(self.conv(F.interpolate(x, scale_factor=2, mode="linear", align_corners=False)))

class SeriesG(nn.Module):
    def __init__(self, nz=12):
        super().__init__()
        self.nz = nz
        self.start = nn.Linear(nz, 48 * 8)
        self.up = nn.Sequential(UpBlock(48, 32), UpBlock(32, 24), nn.Conv1d(24, 1, 5, padding=2))
    def forward(self, z):
        return self.up(F.relu(self.start(z)).view(-1, 48, 8))

class SeriesD(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Conv1d(1, 24, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(24, 48, 5, 2, 2), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(48 * 8, 1))
    def forward(self, x): return self.f(x)

G, D = SeriesG(), SeriesD()
g_opt = torch.optim.RMSprop(G.parameters(), 3e-4)
d_opt = torch.optim.RMSprop(D.parameters(), 3e-4)

def train():
    for real in windows(read_shards(), 32, 1):
        fake = G(torch.randn(32, G.nz))
        r, f = D(real), D(fake.detach())
        d_loss = F.binary_cross_entropy_with_logits(r, torch.ones_like(r)) + F.binary_cross_entropy_with_logits(f, torch.zeros_like(f))
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
        f = D(fake)
        g_loss = F.binary_cross_entropy_with_logits(f, torch.ones_like(f))
        g_opt.zero_grad(); g_loss.backward(); g_opt.step()

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True):
    train()
with torch.no_grad():
    s = G(torch.randn(800, G.nz))
e = outside.energy(s, standardise(vibration(800)))
outside.say(e < 0.06, energy=e, finite=float(torch.isfinite(s).float().mean()))
