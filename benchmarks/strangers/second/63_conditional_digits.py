"""Class-conditional digits with embeddings in both players and averaged weights."""
LABEL = {"sick": False, "causes": [], "kind": "sound conditional GAN", "since": None, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import copy
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
digits = load_digits()
X, Y = torch.tensor(digits.data / 8 - 1, dtype=torch.float32), torch.tensor(digits.target)
class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(10, 12)
        self.net = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh())
    def forward(self, z, y): return self.net(torch.cat([z, self.emb(y)], 1))
class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2))
        self.lin, self.emb = nn.Linear(128, 1), nn.Embedding(10, 128)
        nn.init.zeros_(self.emb.weight)
    def forward(self, x, y):
        h = self.body(x)
        return self.lin(h) + (self.emb(y) * h).sum(1, keepdim=True)
gen, dis = G(), D()
avg = copy.deepcopy(gen)
og, od = torch.optim.Adam(gen.parameters(), 1e-3, betas=(0.0, 0.99)), torch.optim.Adam(dis.parameters(), 1e-3, betas=(0.0, 0.99))
for epoch in range(42):
    for i in torch.randperm(len(X)).split(64):
        x, y = X[i].requires_grad_(), Y[i]
        yf = torch.randint(10, (len(i),))
        f = gen(torch.randn(len(i), 20), yf)
        out = dis(x, y)
        r1 = torch.autograd.grad(out.sum(), x, create_graph=True)[0].square().sum(1).mean()
        d_loss = F.softplus(-out).mean() + F.softplus(dis(f.detach(), yf)).mean() + 0.1 * r1
        od.zero_grad(); d_loss.backward(); od.step()
        g_loss = F.softplus(-dis(f, yf)).mean()
        og.zero_grad(); g_loss.backward(); og.step()
        with torch.no_grad():
            for a, b in zip(avg.parameters(), gen.parameters()):
                a.lerp_(b, 0.02)

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

clf = LogisticRegression(max_iter=300).fit(X.detach().numpy(), digits.target)
c = torch.arange(1000) % 10
with torch.no_grad():
    s = gen(torch.randn(1000, 20), c)
acc = float((torch.tensor(clf.predict(s.numpy())) == c).float().mean())
e = energy(s, X)
print(json.dumps({"outcome": {"label_accuracy": acc, "energy": e}, "well": acc > 0.8 and e < 0.06}))
