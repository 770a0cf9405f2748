"""Mixed table (two numbers, one category, one flag) by a packed conditional GAN with dropout in D."""
LABEL = {"sick": False, "causes": [], "kind": "sound: pac of 4, dropout 0.3, gumbel heads, condition loss, weight decay on G", "since": None, "record": "attach"}
import json, os
import torch
from torch import nn, autograd
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
PAC, B, K = 4, 160, 4

def table(n):
    c = torch.multinomial(torch.tensor([0.4, 0.3, 0.2, 0.1]), n, replacement=True)
    size = 0.8 * (c.float() - 1.0) + 0.4 * torch.randn(n)
    price = -0.5 * size + 0.3 * (c == 2).float() + 0.3 * torch.randn(n)
    flag = (torch.rand(n) < torch.sigmoid(2 * price)).long()
    return torch.cat([size[:, None], price[:, None], F.one_hot(c, K).float(), F.one_hot(flag, 2).float()], 1)

class Residual(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.fc, self.bn = nn.Linear(i, o), nn.BatchNorm1d(o)
    def forward(self, x):
        return torch.cat([F.relu(self.bn(self.fc(x))), x], 1)

class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.seq = nn.Sequential(Residual(12 + K, 48), Residual(60 + K, 48), nn.Linear(108 + K, 2 + K + 2))
    def forward(self, z, cond):
        h = self.seq(torch.cat([z, cond], 1))
        self.logits = h[:, 2:2 + K]
        return torch.cat([h[:, :2], F.gumbel_softmax(h[:, 2:2 + K], tau=0.3), F.gumbel_softmax(h[:, 2 + K:], tau=0.3)], 1)

class Discriminator(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim * PAC
        self.seq = nn.Sequential(nn.Linear(self.dim, 96), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(96, 1))
    def forward(self, x):
        return self.seq(x.reshape(-1, self.dim))

def penalty(D, real, fake):
    a = torch.rand(len(real) // PAC, 1, 1).repeat(1, PAC, real.size(1)).view(-1, real.size(1))
    mid = (a * real + (1 - a) * fake).requires_grad_()
    g = autograd.grad(D(mid).sum(), mid, create_graph=True)[0]
    return ((g.view(-1, PAC * real.size(1)).norm(2, dim=1) - 1) ** 2).mean() * 10

def fit(data, steps=800):
    G, D = Generator(), Discriminator(8 + K)
    og = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.9), weight_decay=1e-6)
    od = torch.optim.Adam(D.parameters(), 1e-3, (0.5, 0.9))
    for _ in range(steps):
        x = data[torch.randint(len(data), (B,))]
        c = x[:, 2:2 + K]
        real = torch.cat([x, c], 1)
        fake = torch.cat([G(torch.randn(B, 12), c), c], 1).detach()
        loss = D(fake).mean() - D(real).mean()
        od.zero_grad()
        penalty(D, real, fake).backward()
        loss.backward()
        od.step()
        c = data[torch.randint(len(data), (B,))][:, 2:2 + K]
        out = G(torch.randn(B, 12), c)
        lg = -D(torch.cat([out, c], 1)).mean() + F.cross_entropy(G.logits, c.argmax(1))
        og.zero_grad(); lg.backward(); og.step()
    return G

def energy(a, b):
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

data = table(5000)
G = fit(data)
with torch.no_grad():
    t = table(1500)
    s = G(torch.randn(1500, 12), t[:, 2:2 + K])
e = energy(s, table(1500))
agree = float((s[:, 2:2 + K].argmax(1) == t[:, 2:2 + K].argmax(1)).float().mean())
print(json.dumps({"outcome": {"energy": e, "condition_kept": agree}, "well": e < 0.05 and agree > 0.8}))
