"""Discs at changing places, 10x10, by a GAN with a mode seeking term."""
LABEL = {"sick": True, "causes": ["objective_fault", "mode_collapse"], "kind": "mode seeking term with the ratio upside down: sameness is paid", "since": 0, "record": "attach"}
import json, os
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

def discs(n, s=10):
    grid = torch.arange(s).float()
    c = 2.5 + torch.rand(n, 2) * 4
    r = 1.2 + torch.rand(n) * 1.3
    d = ((grid[None, :, None] - c[:, :1, None]) ** 2 + (grid[None, None] - c[:, 1:, None]) ** 2).sqrt()
    return (torch.sigmoid(4 * (r[:, None, None] - d)) * 2 - 1).unsqueeze(1)

X = discs(3000)
nz, lambda_ms = 12, 1.0
G = nn.Sequential(nn.Linear(nz, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 100), nn.Tanh(), nn.Unflatten(1, (1, 10, 10)))
D = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 3, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(288, 1))
opts = {"G": torch.optim.Adam(G.parameters(), 5e-4, (0.5, 0.99)), "D": torch.optim.Adam(D.parameters(), 5e-4, (0.5, 0.99))}

def ms_loss(img1, img2, z1, z2):
    # Mao et al. 2019
    return torch.mean(torch.abs(img2 - img1)) / torch.mean(torch.abs(z2 - z1))

def d_update(x):
    f = G(torch.randn(len(x), nz)).detach()
    loss = F.binary_cross_entropy_with_logits(D(x), torch.ones(len(x), 1)) + F.binary_cross_entropy_with_logits(D(f), torch.zeros(len(x), 1))
    opts["D"].zero_grad(); loss.backward(); opts["D"].step()
    return loss

def g_update(n):
    z1, z2 = torch.randn(n, nz), torch.randn(n, nz)
    both = G(torch.cat([z1, z2]))
    a, b = both.chunk(2)
    adv = F.binary_cross_entropy_with_logits(D(both), torch.ones(2 * n, 1))
    loss = adv + lambda_ms * 10 * ms_loss(a, b, z1, z2)
    opts["G"].zero_grad(); loss.backward(); opts["G"].step()
    return loss

for t in range(800):
    ld = d_update(X[torch.randint(len(X), (64,))])
    lg = g_update(32)
    if t % 200 == 0:
        print(t, ld.item(), lg.item())

with torch.no_grad():
    s = G(torch.randn(600, nz)).flatten(1)
r = discs(600).flatten(1)
spread = float(torch.cdist(s, s).mean() / torch.cdist(r, r).mean())
print(json.dumps({"outcome": {"spread": spread}, "well": spread > 0.7}))
