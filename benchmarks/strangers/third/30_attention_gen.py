"""Generator with self-attention at 4x4, hinge loss, digits, cosine schedule."""
LABEL = {"sick": False, "causes": [], "kind": "sound, attention, hinge loss, rates that decay to a tenth", "since": None, "record": "automatic"}
import json, math, os, sys
import torch, gandiag
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
torch.set_num_threads(1)
sn = nn.utils.spectral_norm
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

class SelfAttention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.qkv, self.gamma = nn.Linear(c, 3 * c), nn.Parameter(torch.zeros(1))
    def forward(self, x):
        b, c, h, w = x.shape
        q, k, v = self.qkv(x.flatten(2).transpose(1, 2)).chunk(3, -1)
        a = (q @ k.transpose(1, 2) / math.sqrt(c)).softmax(-1) @ v
        return x + self.gamma * a.transpose(1, 2).reshape(b, c, h, w)
class Gen(nn.Module):
    def __init__(self, nz=20):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(nz, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 256), nn.BatchNorm1d(256), nn.ReLU())
        self.att, self.out = SelfAttention(16), nn.ConvTranspose2d(16, 1, 4, 2, 1)
    def forward(self, z):
        return self.out(self.att(self.fc(z).view(-1, 16, 4, 4))).tanh()

gen = Gen()
dis = nn.Sequential(sn(nn.Conv2d(1, 24, 4, 2, 1)), nn.LeakyReLU(.2), nn.Flatten(), sn(nn.Linear(384, 128)), nn.LeakyReLU(.2), sn(nn.Linear(128, 1)))
X = torch.tensor(load_digits().images / 8 - 1, dtype=torch.float32)[:, None]
N = 800
og, od = torch.optim.AdamW(gen.parameters(), 1e-3, (.5, .99), weight_decay=1e-4), torch.optim.AdamW(dis.parameters(), 3e-3, (.5, .99), weight_decay=1e-4)
cos = [torch.optim.lr_scheduler.LambdaLR(o, lambda s: .1 + .45 * (1 + math.cos(math.pi * min(s, N) / N))) for o in (og, od)]
with gandiag.Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    for step in range(N):
        x = X[torch.randint(len(X), (40,))]
        f = gen(torch.randn(40, 20))
        od.zero_grad(); (F.relu(1 - dis(x)) + F.relu(1 + dis(f.detach()))).mean().backward(); od.step()
        og.zero_grad(); (-dis(f)).mean().backward(); og.step()
        for c in cos:
            c.step()
with torch.no_grad():
    s = gen(torch.randn(1000, 20)).flatten(1)
r = X.flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
e = float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.08}))
