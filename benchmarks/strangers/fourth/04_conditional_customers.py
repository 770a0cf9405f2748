"""Customer table (4 columns) given its segment, by a conditional LSGAN."""
LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"], "kind": "fakes are shown to D with labels drawn anew, not those they were made for", "since": 0, "record": "attach"}
import json, os
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
N_SEG = 5

def customers(n):
    seg = torch.randint(N_SEG, (n,))
    a = seg.float()
    age = 25 + 8 * a + 4 * torch.randn(n)
    income = torch.exp(7.0 + 0.3 * a + 0.2 * torch.randn(n)) / 1000
    visits = 12 - 2 * a + 1.0 * torch.randn(n)
    basket = 20 + 10 * (a - 2).abs() + 3 * torch.randn(n)
    return torch.stack([age, income, visits, basket], 1), seg

X, Y = customers(6000)
mu, sd = X.mean(0), X.std(0)
X = (X - mu) / sd

class CondGen(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(N_SEG, 8)
        self.net = nn.Sequential(nn.Linear(16 + 8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
    def forward(self, z, y):
        return self.net(torch.cat([z, self.emb(y)], 1))

class CondDisc(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(N_SEG, 8)
        self.net = nn.Sequential(nn.Linear(4 + 8, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    def forward(self, x, y):
        return self.net(torch.cat([x, self.emb(y)], 1))

class TableGAN:
    def __init__(self):
        self.G, self.D = CondGen(), CondDisc()
        self.og = torch.optim.Adam(self.G.parameters(), 1e-3, (0.5, 0.999))
        self.od = torch.optim.Adam(self.D.parameters(), 1e-3, (0.5, 0.999))
    def sample_labels(self, n):
        return torch.randint(N_SEG, (n,))
    def step(self, x, y):
        n = len(x)
        fake = self.G(torch.randn(n, 16), self.sample_labels(n))
        self.od.zero_grad()
        d = 0.5 * ((self.D(x, y) - 1) ** 2).mean() + 0.5 * (self.D(fake.detach(), self.sample_labels(n)) ** 2).mean()
        d.backward()
        self.od.step()
        self.og.zero_grad()
        g = 0.5 * ((self.D(self.G(torch.randn(n, 16), self.sample_labels(n)), self.sample_labels(n)) - 1) ** 2).mean()
        g.backward()
        self.og.step()
        return d.item(), g.item()

gan = TableGAN()
for ep in range(18):
    for idx in torch.randperm(len(X)).split(128):
        d, g = gan.step(X[idx], Y[idx])
    if ep % 6 == 0:
        print(ep, round(d, 3), round(g, 3))
y = torch.arange(N_SEG).repeat_interleave(400)
with torch.no_grad():
    s = gan.G(torch.randn(len(y), 16), y)
cent = torch.stack([X[Y == k].mean(0) for k in range(N_SEG)])
acc = float((torch.cdist(s, cent).argmin(1) == y).float().mean())
ref = float((torch.cdist(X, cent).argmin(1) == Y).float().mean())
print(json.dumps({"outcome": {"right_segment": acc, "reals": ref}, "well": acc > ref - 0.25}))
