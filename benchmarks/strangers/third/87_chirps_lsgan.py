"""Chirps by one-dimensional convolutions, least squares with one-sided smoothing and small batches."""
LABEL = {"sick": False, "causes": [], "kind": "sound: real labels 0.9, batches of 24, D on two accumulated halves", "since": None, "record": "attach"}
import json, math, os
import torch
import torch.nn as nn

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
N = 24
TIME = torch.linspace(0, 1, N)


def chirps(n):
    f0, k = 1 + torch.rand(n, 1), 1.5 * torch.rand(n, 1)
    amp = 0.5 + 0.4 * torch.rand(n, 1)
    return (amp * torch.sin(2 * math.pi * (f0 * TIME + k * TIME ** 2)))[:, None] + 0.03 * torch.randn(n, 1, N)


class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.start = nn.Sequential(nn.Linear(10, 32 * 6), nn.LeakyReLU(0.2))
        self.up = nn.Sequential(nn.ConvTranspose1d(32, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.ConvTranspose1d(32, 24, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv1d(24, 1, 5, padding=2), nn.Tanh())

    def forward(self, z):
        return self.up(self.start(z).view(len(z), 32, 6))


def build_d():
    return nn.Sequential(nn.Conv1d(1, 24, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(24, 32, 5, 2, 2), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(32 * 6, 1))


G, D = Gen(), build_d()
opt_g = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.99))
for step in range(480):
    opt_d.zero_grad()
    for half in range(2):  # two halves are accumulated to one update
        x = chirps(24).requires_grad_()
        y = G(torch.randn(24, 10)).detach()
        out = D(x)
        r1 = torch.autograd.grad(out.sum(), x, create_graph=True)[0].square().sum((1, 2)).mean()
        (((out - 0.9).square().mean() + D(y).square().mean() + 0.02 * r1) / 2).backward()
    opt_d.step()
    opt_g.zero_grad()
    (D(G(torch.randn(48, 10))) - 0.9).square().mean().backward()
    opt_g.step()
with torch.no_grad():
    s, r, q = G(torch.randn(1000, 10)).flatten(1), chirps(1000).flatten(1), chirps(1000).flatten(1)
e = lambda a, b: float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
print(json.dumps({"outcome": {"energy": e(s, r), "reals_to_reals": e(q, r)}, "well": e(s, r) < 0.06}))
