"""Coloured squares from channel-last bytes, reshaped to channel-first without a permute."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "NHWC bytes viewed as NCHW: scrambled reals", "since": 0, "record": "automatic"}
import json, os, sys
import numpy as np
import torch, gandiag
from torch import nn
import torch.nn.functional as F
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
rng = np.random.default_rng(SEED)

def make(n):
    """uint8 images n x 12 x 12 x 3: a coloured square on a grey ground"""
    out = np.full((n, 12, 12, 3), 40, np.uint8)
    for im in out:
        y, x = rng.integers(1, 6, 2)
        h = rng.integers(4, 7)
        im[y:y + h, x:x + h] = np.clip([[220, 60, 40], [50, 200, 70], [60, 80, 230]][rng.integers(3)] + rng.normal(0, 8, 3), 0, 255)
    return out

class Set(torch.utils.data.Dataset):
    def __init__(self, n):
        self.a = make(n)
    def __len__(self):
        return len(self.a)
    def __getitem__(self, i):
        return torch.from_numpy(self.a[i].reshape(3, 12, 12)).float() / 127.5 - 1

class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(24, 32 * 9)
        self.net = nn.Sequential(nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 3, 4, 2, 1), nn.Tanh())
    def forward(self, z):
        return self.net(self.fc(z).view(-1, 32, 3, 3))
gen = Gen()
dis = nn.Sequential(nn.Conv2d(3, 16, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(.2), nn.Flatten(), nn.Linear(32 * 9, 1))
og, od = torch.optim.Adam(gen.parameters(), 2e-3, betas=(.5, .99)), torch.optim.Adam(dis.parameters(), 1e-3, betas=(.5, .99))
rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=og, discriminator_optimizer=od, automatic=True)
loader = torch.utils.data.DataLoader(Set(1600), batch_size=32, shuffle=True)
for epoch in range(10):
    for x in loader:
        f = gen(torch.randn(len(x), 24))
        od.zero_grad(); (F.softplus(-dis(x)).mean() + F.softplus(dis(f.detach())).mean()).backward(); od.step()
        og.zero_grad(); F.softplus(-dis(f)).mean().backward(); og.step()
rec.close()
true = torch.from_numpy(make(1000)).permute(0, 3, 1, 2).float().flatten(1) / 127.5 - 1
with torch.no_grad():
    s = gen(torch.randn(1000, 24)).flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
e = float((2 * m(s, true) - m(s, s) - m(true, true)) / m(true, true))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
