"""Non-saturating DCGAN with DiffAugment (translation, cutout, brightness) trained on a few hundred scanned digits, EMA generator for sampling."""
import os, copy, random
LABEL = {"sick": False, "causes": [], "kind": "healthy few-data GAN with differentiable augmentation on both real and fake", "since": None, "record": "attach"}
import numpy as np, torch
import torch.nn as nn, torch.nn.functional as F
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def diff_augment(x):
    x = x + .4 * (torch.rand(len(x), 1, 1, 1) - .5)
    # translation by at most one pixel, batch-wise
    p = F.pad(x, (1, 1, 1, 1), value=-1.)
    dy, dx = torch.randint(0, 3, (len(x),)), torch.randint(0, 3, (len(x),))
    r = torch.arange(8)
    x = p[torch.arange(len(x))[:, None, None], 0, (dy[:, None] + r)[:, :, None], (dx[:, None] + r)[:, None, :]][:, None]
    # cutout 3x3
    m = torch.ones_like(x)
    cy, cx = torch.randint(0, 6, (len(x), 1, 1)), torch.randint(0, 6, (len(x), 1, 1))
    inside = ((r[None, :, None] >= cy) & (r[None, :, None] < cy + 3) & (r[None, None] >= cx) & (r[None, None] < cx + 3))
    return x * (m - inside[:, None].float())

class G_(nn.Module):
    def __init__(self, nz=32, c=40):
        super().__init__()
        self.net = nn.Sequential(nn.ConvTranspose2d(nz, c, 4), nn.BatchNorm2d(c), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(c, c, 3, 1, 1), nn.BatchNorm2d(c), nn.ReLU(),
                                 nn.Conv2d(c, c // 2, 3, 1, 1), nn.BatchNorm2d(c // 2), nn.ReLU(), nn.Conv2d(c // 2, 1, 3, 1, 1), nn.Tanh())
    def forward(self, z): return self.net(z[:, :, None, None])

class D_(nn.Module):
    def __init__(self, c=32):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, c, 3, 1, 1), nn.LeakyReLU(.2), nn.Conv2d(c, c, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(c, 2 * c, 4, 2, 1), nn.LeakyReLU(.2), nn.Flatten(), nn.Linear(8 * c, 1))
    def forward(self, x): return self.net(x)

everything, _ = outside.digits()
shots = everything[:300]
G, D = G_(), D_()
ema = copy.deepcopy(G)
og, od = torch.optim.Adam(G.parameters(), 5e-4, (.5, .99)), torch.optim.Adam(D.parameters(), 5e-4, (.5, .99))
for step in range(900):
    x = shots[torch.randint(0, len(shots), (40,))]
    f = G(torch.randn(40, 32))
    ld = F.softplus(-D(diff_augment(x))).mean() + F.softplus(D(diff_augment(f.detach()))).mean()
    od.zero_grad(); ld.backward(); od.step()
    lg = F.softplus(-D(diff_augment(f))).mean()
    og.zero_grad(); lg.backward(); og.step()
    with torch.no_grad():
        for a, b in zip(ema.state_dict().values(), G.state_dict().values()):
            a.mul_(.99).add_(b, alpha=.01) if a.is_floating_point() else a.copy_(b)
ema.eval()
with torch.no_grad(): s = ema(torch.randn(1000, 32))
cl, q, _ = outside.digit_quality(s)
e = outside.energy(s, everything[torch.randperm(len(everything))])
outside.say(cl == 10 and q < 1.4 and e < .06, classes=cl, distance=q, energy=e)
