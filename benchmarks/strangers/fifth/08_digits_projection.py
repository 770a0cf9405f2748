"""Conditional digits with a projection discriminator (hinge loss, spectral norm)."""
# conditional digits with a projection discriminator (hinge loss, spectral norm)
LABEL = {"sick": False, "causes": [], "kind": "healthy conditional hinge GAN with projection and spectral norm", "since": None, "record": "attach"}
import os
import torch, torch.nn as nn, torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm as SN
import outside

torch.manual_seed(int(os.environ.get("SEED", "0")))
torch.set_num_threads(1)

X, Y = outside.digits()
NZ = 16

class CondGen(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(10, 24)
        self.fc1 = nn.Linear(NZ + 24, 160)
        self.bn = nn.BatchNorm1d(160)
        self.fc2 = nn.Linear(160, 32 * 16)
        self.conv1 = nn.Conv2d(32, 24, 3, padding=1)
        self.conv2 = nn.Conv2d(24, 1, 3, padding=1)
    def forward(self, z, y):
        h = F.relu(self.bn(self.fc1(torch.cat([z, self.emb(y)], 1))))
        h = F.relu(self.fc2(h)).view(-1, 32, 4, 4)
        h = F.interpolate(F.relu(self.conv1(h)), scale_factor=2)
        return torch.tanh(self.conv2(h))

class ProjDis(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = SN(nn.Conv2d(1, 24, 4, 2, 1))
        self.c2 = SN(nn.Conv2d(24, 48, 3, padding=1))
        self.fc = SN(nn.Linear(48 * 16, 96))
        self.lin = SN(nn.Linear(96, 1))
        self.cls = SN(nn.Embedding(10, 96))
    def forward(self, x, y):
        h = F.leaky_relu(self.c1(x), 0.1)
        h = F.leaky_relu(self.c2(h), 0.1).flatten(1)
        h = F.leaky_relu(self.fc(h), 0.1)
        return self.lin(h).squeeze(1) + (self.cls(y) * h).sum(1)

gen, dis = CondGen(), ProjDis()
opt_gen = torch.optim.Adam(gen.parameters(), lr=8e-4, betas=(0.0, 0.9))
opt_dis = torch.optim.Adam(dis.parameters(), lr=1.6e-3, betas=(0.0, 0.9))

def sample(n):
    z, y = torch.randn(n, NZ), torch.randint(10, (n,))
    return gen(z, y), y

BATCH = 48
for it in range(850):
    idx = torch.randint(len(X), (BATCH,))
    fake, fy = sample(BATCH)
    loss_dis = F.relu(1 - dis(X[idx], Y[idx])).mean() + F.relu(1 + dis(fake.detach(), fy)).mean()
    opt_dis.zero_grad(); loss_dis.backward(); opt_dis.step()
    fake, fy = sample(BATCH)
    loss_gen = -dis(fake, fy).mean()
    opt_gen.zero_grad(); loss_gen.backward(); opt_gen.step()
    if it % 200 == 0:
        print(f"{it:5d}  D {loss_dis.item():.3f}  G {loss_gen.item():.3f}")

gen.eval()
with torch.no_grad():
    want = torch.arange(1000) % 10
    s = gen(torch.randn(1000, NZ), want)
e = outside.energy(s, X[torch.randperm(len(X))])
classes, quality, right = outside.digit_quality(s, want.numpy())
outside.say(e < 0.05 and classes == 10 and right > 0.8, energy=e, classes=classes, quality=quality, right=right)
