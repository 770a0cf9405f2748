"""Class-conditional digits: projection discriminator, class embeddings in G, hinge."""
LABEL = {"sick": False, "causes": [], "kind": "sound projection cGAN", "since": None, "record": "attach"}
import json, os
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED)

class CondGen(nn.Module):
    def __init__(self, nz=32, ncls=10):
        super().__init__()
        self.emb = nn.Embedding(ncls, 16)
        self.l1 = nn.Linear(nz + 16, 32 * 4)
        self.net = nn.Sequential(nn.BatchNorm2d(32), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(32, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(),
                                 nn.Upsample(scale_factor=2), nn.Conv2d(24, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 1, 3, padding=1), nn.Tanh())
    def forward(self, z, y):
        return self.net(self.l1(torch.cat([z, self.emb(y)], 1)).view(-1, 32, 2, 2))

class ProjDis(nn.Module):
    def __init__(self, ncls=10, w=24):
        super().__init__()
        s = nn.utils.spectral_norm
        self.phi = nn.Sequential(s(nn.Conv2d(1, w, 3, padding=1)), nn.LeakyReLU(.1), s(nn.Conv2d(w, w, 4, 2, 1)), nn.LeakyReLU(.1), s(nn.Conv2d(w, w, 4, 2, 1)), nn.LeakyReLU(.1), nn.Flatten())
        self.psi = s(nn.Linear(w * 4, 1)); self.v = s(nn.Embedding(ncls, w * 4))
    def forward(self, x, y):
        h = self.phi(x)
        return self.psi(h).squeeze(1) + (self.v(y) * h).sum(1)

class Trainer:
    def __init__(self):
        d = load_digits()
        self.x = torch.tensor(d.images, dtype=torch.float32)[:, None] / 8 - 1
        self.y = torch.tensor(d.target)
        self.gen, self.dis = CondGen(), ProjDis()
        self.opt = {"g": torch.optim.Adam(self.gen.parameters(), 2e-3, (0., .9)), "d": torch.optim.Adam(self.dis.parameters(), 2e-3, (0., .9))}
    def batch(self, n=40):
        i = torch.randint(len(self.x), (n,))
        return self.x[i], self.y[i]
    def d_step(self):
        x, y = self.batch(); yf = torch.randint(10, (40,))
        fake = self.gen(torch.randn(40, 32), yf).detach()
        loss = F.relu(1 - self.dis(x, y)).mean() + F.relu(1 + self.dis(fake, yf)).mean()
        self.opt["d"].zero_grad(); loss.backward(); self.opt["d"].step()
    def g_step(self):
        yf = torch.randint(10, (40,))
        loss = -self.dis(self.gen(torch.randn(40, 32), yf), yf).mean()
        self.opt["g"].zero_grad(); loss.backward(); self.opt["g"].step()
    def run(self, n):
        for it in range(n):
            self.d_step(); self.d_step(); self.g_step()

t = Trainer(); t.run(330)
with torch.no_grad():
    y = torch.arange(10).repeat(100); s = t.gen(torch.randn(1000, 32), y).flatten(1)
r = t.x.flatten(1)
acc = KNeighborsClassifier(5).fit(r.numpy(), t.y.numpy()).score(s.numpy(), y.numpy())
m = lambda p, q: torch.cdist(p, q).mean()
e = float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
print(json.dumps({"outcome": {"label_accuracy": acc, "energy": e}, "well": acc > 0.8 and e < 0.06}))
