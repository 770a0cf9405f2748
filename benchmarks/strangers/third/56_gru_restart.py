"""Damped swings by a GRU generator and a conv1d critic, cosine schedule with a warm restart."""
LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "discriminator_dominance"], "kind": "the restart sets both rates to 0.1 instead of 0.001 (config typed wrong)", "since": 300, "record": "attach"}
import json, math, os
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
T = 16


def swings(n):
    t = torch.arange(T) / T
    w = 4 + 6 * torch.rand(n, 1)
    ph = 2 * math.pi * torch.rand(n, 1)
    return (torch.exp(-1.5 * t) * torch.sin(w * t * 2 + ph))[:, :, None] + 0.03 * torch.randn(n, T, 1)


class RNNGen(nn.Module):
    def __init__(self, z=8, h=32):
        super().__init__()
        self.inp = nn.Linear(z, h)
        self.gru = nn.GRU(h, h, batch_first=True)
        self.pos = nn.Parameter(0.1 * torch.randn(1, T, h))
        self.out = nn.Linear(h, 1)

    def forward(self, z):
        x = self.inp(z)[:, None] + self.pos
        return torch.tanh(self.out(self.gru(x)[0]))


class SeqCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Conv1d(1, 24, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(24, 48, 5, 2, 2), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(48 * 4, 1))

    def forward(self, x):
        return self.f(x.transpose(1, 2))


PERIODS = [(300, 1e-3), (250, 1e-1)]
G, D = RNNGen(), SeqCritic()
og = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.0, 0.99))
od = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.0, 0.99))
for length, top in PERIODS:
    for i in range(length):
        for o in (og, od):
            for group in o.param_groups:
                group["lr"] = top * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * i / length)))
        x = swings(64)
        fake = G(torch.randn(64, 8))
        loss_d = F.softplus(-D(x)).mean() + F.softplus(D(fake.detach())).mean()
        od.zero_grad(); loss_d.backward(); od.step()
        loss_g = F.softplus(-D(fake)).mean()
        og.zero_grad(); loss_g.backward(); og.step()
    a, b, c = G(torch.randn(600, 8)).detach().flatten(1), swings(600).flatten(1), swings(600).flatten(1)
    e = float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
    base = float((2 * torch.cdist(c, b).mean() - torch.cdist(c, c).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
    print("after", length, "energy", e)
print(json.dumps({"outcome": {"energy": e, "reals_to_reals": base}, "well": math.isfinite(e) and e < 0.08}))
