"""InfoGAN on digits: ten-valued code and one continuous code, separate Q network on D's trunk."""
LABEL = {"sick": False, "causes": [], "kind": "sound InfoGAN", "since": None, "record": "attach"}
import json, os
import torch
from torch import nn
import torch.nn.functional as F
from itertools import chain
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
torch.set_num_threads(1)
sn = nn.utils.spectral_norm
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

digits = load_digits()
X = torch.from_numpy(digits.data).float().div(8).sub(1).view(-1, 1, 8, 8)

class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(24 + 10 + 1, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Unflatten(1, (16, 4, 4)),
            nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
    def forward(self, v):
        return self.main(v)

class Trunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(sn(nn.Conv2d(1, 24, 4, 2, 1)), nn.LeakyReLU(.1), nn.Flatten(), sn(nn.Linear(384, 64)), nn.LeakyReLU(.1))
        self.d = sn(nn.Linear(64, 1))
    def forward(self, x):
        self.feat = self.conv(x)
        return self.d(self.feat)

gen, dis, q = G(), Trunk(), nn.Sequential(nn.Linear(64, 32), nn.LeakyReLU(.1), nn.Linear(32, 11))
opt_g = torch.optim.Adam(chain(gen.parameters(), q.parameters()), 1e-3, betas=(.5, .999))
opt_d = torch.optim.Adam(dis.parameters(), 3e-3, betas=(.5, .999))

def code(n):
    c = torch.randint(10, (n,))
    u = torch.rand(n, 1) * 2 - 1
    return torch.cat([torch.randn(n, 24), F.one_hot(c, 10).float(), u], 1), c, u

def batches():
    while True:
        yield X[torch.randint(len(X), (64,))]

stream = batches()
for it in range(700):
    real = next(stream)
    v, c, u = code(64)
    fake = gen(v)
    opt_d.zero_grad()
    (F.binary_cross_entropy_with_logits(dis(real), torch.full((64, 1), .9)) + F.binary_cross_entropy_with_logits(dis(fake.detach()), torch.zeros(64, 1))).backward()
    opt_d.step()
    opt_g.zero_grad()
    adv = F.binary_cross_entropy_with_logits(dis(fake), torch.ones(64, 1))
    out = q(dis.feat)
    info = F.cross_entropy(out[:, :10], c) + 0.1 * F.mse_loss(out[:, 10:], u)
    (adv + 0.5 * info).backward()
    opt_g.step()
    if it % 300 == 0:
        print(it, adv.item(), info.item())

with torch.no_grad():
    s = gen(code(1000)[0]).flatten(1)
r = X.flatten(1)
share = torch.bincount(torch.tensor(LogisticRegression(max_iter=300).fit(r.numpy(), digits.target).predict(s.numpy())), minlength=10) / 1000
m = lambda p, q: torch.cdist(p, q).mean()
e = float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
print(json.dumps({"outcome": {"energy": e, "rarest": float(share.min())}, "well": e < 0.08 and float(share.min()) > 0.02}))
