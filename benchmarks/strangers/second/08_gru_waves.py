"""Sine waves of random phase and pitch by GRU generator and GRU discriminator."""
LABEL = {"sick": False, "causes": [], "kind": "sound recurrent GAN", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, math

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
T = 12
def waves(n):
    t = torch.arange(T).float()
    f = 1 + 0.2 * torch.rand(n, 1)
    return (0.8 * torch.sin(2 * math.pi * (f * t / T + torch.rand(n, 1)))).unsqueeze(-1)
class SeqGen(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.head, self.start = nn.GRU(6, 48, batch_first=True), nn.Linear(48, 1), nn.Linear(6, 48)
    def forward(self, z):
        h, _ = self.rnn(z.unsqueeze(1).expand(-1, T, -1), torch.tanh(self.start(z)).unsqueeze(0))
        return torch.tanh(self.head(h))
class SeqDis(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.GRU(1, 48, batch_first=True), nn.Linear(96, 1)
    def forward(self, x):
        h, _ = self.rnn(x)
        return self.head(torch.cat([h.mean(1), h[:, -1]], 1))
gen, dis = SeqGen(), SeqDis()
og = torch.optim.Adam(gen.parameters(), 3e-3, betas=(0.5, 0.9))
od = torch.optim.Adam(dis.parameters(), 3e-3, betas=(0.5, 0.9))
def epochs(k, n):
    for _ in range(k):
        for _ in range(n):
            yield waves(64)
with gandiag.Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    for x in epochs(10, 80):
        z = torch.randn(64, 6)
        f = gen(z)
        od.zero_grad()
        (F.softplus(-dis(x)).mean() + F.softplus(dis(f.detach())).mean()).backward()
        od.step()
        og.zero_grad()
        F.softplus(-dis(f)).mean().backward()
        og.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(gen(torch.randn(1000, 6)), waves(1000))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.08}))
