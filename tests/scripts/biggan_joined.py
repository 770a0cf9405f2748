"""BigGAN's loop: G and D joined in one module, fakes and reals in one batch, accumulation in both players, a regulariser added to gradients."""
import json
import sys

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm as SN

torch.manual_seed(0)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Embedding(3, 4)
        nn.init.orthogonal_(self.shared.weight)
        self.net = nn.Sequential(nn.Linear(8 + 4, 32), nn.ReLU(), nn.Linear(32, 6), nn.Tanh())
        self.optim = torch.optim.Adam(self.parameters(), lr=1e-3, betas=(0.0, 0.999))

    def forward(self, z, y):
        return self.net(torch.cat([z, y], 1))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(SN(nn.Linear(6, 32)), nn.ReLU())
        self.linear, self.embed = SN(nn.Linear(32, 1)), SN(nn.Embedding(3, 32))
        self.optim = torch.optim.Adam(self.parameters(), lr=2e-3, betas=(0.0, 0.999))

    def forward(self, x, y):
        h = self.body(x)
        return self.linear(h) + (self.embed(y) * h).sum(1, keepdim=True)


class G_D(nn.Module):
    def __init__(self, G, D):
        super().__init__()
        self.G, self.D = G, D

    def forward(self, z, gy, x=None, dy=None, train_G=False):
        with torch.set_grad_enabled(train_G):
            G_z = self.G(z, self.G.shared(gy))
        if x is None:
            return self.D(G_z, gy)
        D_out = self.D(torch.cat([G_z, x], 0), torch.cat([gy, dy], 0))
        return torch.split(D_out, [G_z.shape[0], x.shape[0]])


def toggle_grad(model, on):
    for p in model.parameters():
        p.requires_grad = on


def ortho(model, strength=1e-4):
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() > 1:
                w = p.view(p.shape[0], -1)
                p.grad.data += strength * (2 * (w @ w.t() * (1.0 - torch.eye(w.shape[0]))) @ w).view(p.shape)


def norm(model):
    return torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()


G, D = Generator(), Discriminator()
GD = G_D(G, D)
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for step in range(20):
    x, y = torch.tanh(torch.randn(24, 6)).split(4), torch.randint(0, 3, (24,)).split(4)
    toggle_grad(D, True)
    toggle_grad(G, False)
    for update in range(2):
        D.optim.zero_grad()
        scores = []
        for part in range(3):
            at = 3 * update + part
            fake, real = GD(torch.randn(4, 8), torch.randint(0, 3, (4,)), x[at], y[at])
            ((F.relu(1 - real).mean() + F.relu(1 + fake).mean()) / 3).backward()
            scores.append((real, fake))
        ortho(D)
        d_norm = norm(D)
        D.optim.step()
    toggle_grad(D, False)
    toggle_grad(G, True)
    G.optim.zero_grad()
    for part in range(3):
        (-GD(torch.randn(4, 8), torch.randint(0, 3, (4,)), train_G=True).mean() / 3).backward()
    ortho(G)
    own["real"].append(torch.cat([r for r, _ in scores]).mean().item())
    own["fake"].append(torch.cat([f for _, f in scores]).mean().item())
    own["d_norm"].append(d_norm)
    own["g_norm"].append(norm(G))
    G.optim.step()
    print(step, own["real"][-1], own["fake"][-1])
torch.save({"g": G.state_dict(), "d": D.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
