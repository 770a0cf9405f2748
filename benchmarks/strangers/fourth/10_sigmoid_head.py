"""Rings and bars, 12x12, convolutional GAN with an averaged generator."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance", "vanishing_generator_gradient"], "kind": "G ends in a sigmoid, images lie in [-1, 1]", "since": 0, "record": "attach"}
import copy, json, os
import torch
from torch import nn, optim

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

def sketch(n, s=12):
    ii = torch.arange(s).float()
    cy, cx = 4 + 3 * torch.rand(n, 1, 1), 4 + 3 * torch.rand(n, 1, 1)
    r = 2 + 1.5 * torch.rand(n, 1, 1)
    d = ((ii[None, :, None] - cy) ** 2 + (ii[None, None] - cx) ** 2).sqrt()
    ring = torch.exp(-((d - r) / 0.7) ** 2)
    bar = torch.exp(-((ii[None, :, None] - cy) / 0.9) ** 2).expand(n, s, s)
    pick = (torch.rand(n, 1, 1) < 0.6).float()
    img = (pick * ring + (1 - pick) * bar).unsqueeze(1)
    return (img - 0.5) / 0.5          # transforms.Normalize((0.5,), (0.5,))

def weights_init(m):
    if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(m.weight, 0.0, 0.05)

class Net_G(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.ConvTranspose2d(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Sigmoid())
    def forward(self, z): return self.main(z[:, :, None, None])

class Net_D(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1), nn.BatchNorm2d(32), nn.LeakyReLU(0.2), nn.Conv2d(32, 1, 3))
    def forward(self, x): return self.main(x).view(-1)

g, d = Net_G(), Net_D()
g.apply(weights_init); d.apply(weights_init)
ema = copy.deepcopy(g).eval()
o_g, o_d = optim.Adam(g.parameters(), 1e-3, (0.5, 0.999)), optim.Adam(d.parameters(), 5e-4, (0.5, 0.999))
bce = nn.BCEWithLogitsLoss()
X = sketch(3000)
for step in range(500):
    x = X[torch.randint(3000, (32,))]
    d.zero_grad()
    bce(d(x), torch.ones(32)).backward()
    f = g(torch.randn(32, 16))
    bce(d(f.detach()), torch.zeros(32)).backward()
    o_d.step()
    g.zero_grad()
    bce(d(f), torch.ones(32)).backward()
    o_g.step()
    with torch.no_grad():
        for pe, p in zip(ema.parameters(), g.parameters()):
            pe.lerp_(p, 0.02)
        for be, b in zip(ema.buffers(), g.buffers()):
            be.copy_(b)

def energy(a, b):
    a, b = a.detach().flatten(1), b.flatten(1)
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)
e = energy(ema(torch.randn(800, 16)), sketch(800))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.1}))
