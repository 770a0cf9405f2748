"""Sine waves of random pitch by transposed convolutions in one dimension, least squares."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance", "objective_fault"], "kind": "G ends in ReLU where the waves lie in [-1, 1]", "since": 0, "record": "attach"}
import json, math, os
import torch
import torch.nn as nn

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
N = 32


def waves(batch):
    while True:
        t = torch.linspace(0, 1, N)
        f, p = 2 + 2 * torch.rand(batch, 1, 1), 2 * math.pi * torch.rand(batch, 1, 1)
        yield torch.sin(2 * math.pi * f * t + p) * 0.9


class WaveG(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 32 * 8)
        self.up = nn.Sequential(nn.BatchNorm1d(32), nn.ReLU(), nn.ConvTranspose1d(32, 24, 4, 2, 1), nn.BatchNorm1d(24), nn.ReLU(), nn.ConvTranspose1d(24, 1, 4, 2, 1), nn.ReLU())

    def forward(self, z):
        return self.up(self.fc(z).view(-1, 32, 8))


class WaveD(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(1, 24, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv1d(24, 48, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(48 * 8, 1))

    def forward(self, x):
        return self.net(x)


g, d = WaveG(), WaveD()
og, od = torch.optim.Adam(g.parameters(), 5e-4, (0.5, 0.999)), torch.optim.Adam(d.parameters(), 5e-4, (0.5, 0.999))
stream, mse = waves(64), nn.MSELoss()
for step in range(500):
    x = next(stream)
    y = g(torch.randn(64, 16))
    od.zero_grad()
    (0.5 * mse(d(x), torch.ones(64, 1)) + 0.5 * mse(d(y.detach()), torch.zeros(64, 1))).backward()
    od.step()
    og.zero_grad()
    mse(d(y), torch.ones(64, 1)).backward()
    og.step()
g.eval()
with torch.no_grad():
    a, b = g(torch.randn(800, 16)).flatten(1), next(waves(800)).flatten(1)
e = float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
print(json.dumps({"outcome": {"energy": e, "lowest_fake": float(a.min()), "lowest_real": float(b.min())}, "well": e < 0.1 and float(a.min()) < -0.3}))
