"""Eight features of two kinds of customers, batches in a preallocated buffer."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "the buffer has 128 rows and 64 are filled: half of each real batch is zeros", "since": 0, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
MU = torch.stack([torch.full((8,), 1.5), -torch.arange(8.0) / 4 - 1])
def customers(n): return MU[torch.randint(2, (n,))] + 0.4 * torch.randn(n, 8)
class Buffered:
    def __init__(self, rows=128, read=64):
        self.buffer, self.read = torch.zeros(rows, 8), read
    def next(self):
        self.buffer[:self.read] = customers(self.read)
        return self.buffer.clone()
source = Buffered()
G = nn.Sequential(nn.Linear(8, 80), nn.ReLU(), nn.Linear(80, 80), nn.ReLU(), nn.Linear(80, 8))
D = nn.Sequential(nn.Linear(8, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1))
og, od = torch.optim.Adam(G.parameters(), 5e-4, betas=(0.5, 0.9)), torch.optim.Adam(D.parameters(), 5e-4, betas=(0.5, 0.9))
for step in range(800):
    x = source.next()
    f = G(torch.randn(len(x), 8))
    od.zero_grad()
    (F.softplus(-D(x)).mean() + F.softplus(D(f.detach())).mean()).backward()
    od.step()
    og.zero_grad()
    F.softplus(-D(f)).mean().backward()
    og.step()
with torch.no_grad():
    s = G(torch.randn(1000, 8))
good = float((torch.cdist(s, MU).min(1).values < 2.2).float().mean())
print(json.dumps({"outcome": {"share_of_possible_customers": good}, "well": good > 0.8}))
