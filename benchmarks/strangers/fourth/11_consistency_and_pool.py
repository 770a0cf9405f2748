"""8x8 digits, conv GAN with balanced consistency, half of the fakes from a pool, averaged G."""
LABEL = {"sick": False, "causes": [], "kind": "sound: bCR, replay pool of 256, lazy R1, EMA", "since": None, "record": "attach"}
import copy, json, os, random
import torch
from torch import nn
from torch.nn.functional import softplus
from sklearn.datasets import load_digits

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); random.seed(SEED)
X = torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 8 - 1

class Pool:
    def __init__(self, size): self.size, self.items = size, []
    def query(self, batch):
        out = []
        for x in batch:
            if len(self.items) < self.size:
                self.items.append(x); out.append(x)
            elif random.random() < 0.5:
                j = random.randrange(self.size)
                out.append(self.items[j]); self.items[j] = x
            else:
                out.append(x)
        return torch.stack(out)

def augment(x):
    return torch.roll(x, random.choice([-1, 0, 1]), -1)

G = nn.Sequential(nn.Unflatten(1, (20, 1, 1)), nn.ConvTranspose2d(20, 40, 4), nn.BatchNorm2d(40), nn.ReLU(), nn.ConvTranspose2d(40, 1, 4, 2, 1), nn.Tanh())
D = nn.Sequential(nn.Conv2d(1, 24, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(384, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
Gs = copy.deepcopy(G).requires_grad_(False)
og, od = torch.optim.Adam(G.parameters(), 2e-3, (0.5, 0.999)), torch.optim.Adam(D.parameters(), 1e-3, (0.5, 0.999))
pool = Pool(256)
for it in range(540):
    real = X[torch.randint(len(X), (48,))]
    fake = G(torch.randn(48, 20))
    shown = pool.query(fake.detach())
    dr, df = D(real), D(shown)
    loss_d = softplus(-dr).mean() + softplus(df).mean()
    loss_d = loss_d + 0.1 * ((D(augment(real)) - dr).square().mean() + (D(augment(shown)) - df).square().mean())
    if it % 4 == 0:
        xr = real.clone().requires_grad_()
        grad, = torch.autograd.grad(D(xr).sum(), xr, create_graph=True)
        loss_d = loss_d + 4 * 0.02 * grad.square().sum((1, 2, 3)).mean()
    od.zero_grad(); loss_d.backward(); od.step()
    loss_g = softplus(-D(fake)).mean()
    og.zero_grad(); loss_g.backward(); og.step()
    for a, b in zip(Gs.parameters(), G.parameters()):
        a.lerp_(b.detach(), 0.05)
    for a, b in zip(Gs.buffers(), G.buffers()):
        a.copy_(b)

def energy(a, b):
    a, b = a.flatten(1), b.flatten(1)
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)
with torch.no_grad():
    e, raw = energy(Gs(torch.randn(1000, 20)), X), energy(G(torch.randn(1000, 20)), X)
print(json.dumps({"outcome": {"energy_averaged": e, "energy": raw}, "well": e < 0.05 and raw < 0.08}))
