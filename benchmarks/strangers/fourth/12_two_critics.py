"""Three curved clusters in the plane, one G against two Ds (logistic and least squares)."""
LABEL = {"sick": False, "causes": [], "kind": "sound: two Ds with different losses and rates, cosine decay", "since": None, "record": "automatic"}
import itertools, json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

def bananas(n):
    k = torch.randint(3, (n,))
    t = torch.randn(n) * 0.5
    x = torch.stack([t, 0.8 * t * t - 0.3], 1) + 0.06 * torch.randn(n, 2)
    a = k * 2.0944
    rot = torch.stack([torch.stack([a.cos(), -a.sin()], 1), torch.stack([a.sin(), a.cos()], 1)], 1)
    x = x + torch.tensor([0.0, -1.5])
    return torch.einsum("nij,nj->ni", rot, x)

def stream(bs):
    while True:
        yield bananas(bs)

def build(i, o, width=64, drop=0.0):
    return nn.Sequential(nn.Linear(i, width), nn.LeakyReLU(0.2), nn.Dropout(drop), nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, o))

class DualGAN:
    def __init__(self, steps):
        self.G, self.D1, self.D2 = build(4, 2), build(2, 1), build(2, 1, 48, 0.1)
        self.optG = torch.optim.Adam(self.G.parameters(), 1e-3, (0.5, 0.99))
        self.optD1 = torch.optim.Adam(self.D1.parameters(), 1e-3, (0.5, 0.99))
        self.optD2 = torch.optim.RMSprop(self.D2.parameters(), 5e-4)
        self.sched = [torch.optim.lr_scheduler.CosineAnnealingLR(o, steps, 1e-4) for o in (self.optG, self.optD1, self.optD2)]
        self.steps = steps
    def train(self, data):
        for x in itertools.islice(data, self.steps):
            f = self.G(torch.randn(len(x), 4))
            xr = x.clone().requires_grad_()
            r1 = self.D1(xr)
            g = torch.autograd.grad(r1.sum(), xr, create_graph=True)[0]
            l1 = F.softplus(-r1).mean() + F.softplus(self.D1(f.detach())).mean() + 0.05 * g.square().sum(1).mean()
            self.optD1.zero_grad(); l1.backward(); self.optD1.step()
            l2 = (self.D2(x) - 1).square().mean() + self.D2(f.detach()).square().mean()
            self.optD2.zero_grad(); l2.backward(); self.optD2.step()
            lg = 0.7 * F.softplus(-self.D1(f)).mean() + 0.3 * (self.D2(f) - 1).square().mean()
            self.optG.zero_grad(); lg.backward(); self.optG.step()
            for s in self.sched: s.step()

gan = DualGAN(900)
with gandiag.Recorder(sys.argv[1], generator=gan.G, discriminator=gan.D1, generator_optimizer=gan.optG, discriminator_optimizer=gan.optD1, automatic=True):
    gan.train(stream(128))

def energy(a, b):
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)
with torch.no_grad():
    e = energy(gan.G(torch.randn(1000, 4)), bananas(1000))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.05}))
