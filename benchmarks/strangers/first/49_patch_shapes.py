"""Discs and bars 12x12 with a patch discriminator of many outputs, least squares with labels -1, 1 and 0."""
import os, torch, torch.nn as nn
import outside
LABEL = {"sick": False, "causes": [], "kind": "patch D, LSGAN with a=-1 b=1 c=0", "since": None, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
gy, gx = torch.meshgrid(torch.arange(12.), torch.arange(12.), indexing="ij")
def shapes(n):
    c, k, r = 3 + 5 * torch.rand(n, 1, 1), 3 + 5 * torch.rand(n, 1, 1), 1.5 + 1.5 * torch.rand(n, 1, 1)
    disc = torch.sigmoid(2 * (r - ((gx - c) ** 2 + (gy - k) ** 2).sqrt())); bar = torch.sigmoid(2 * (1.5 - (gx - c).abs()))
    return (torch.where(torch.rand(n, 1, 1) < 0.5, disc, bar) * 2 - 1).unsqueeze(1)
G = nn.Sequential(nn.Linear(16, 432), nn.BatchNorm1d(432), nn.ReLU(), nn.Unflatten(1, (48, 3, 3)), nn.ConvTranspose2d(48, 32, 4, 2, 1), nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh())
D = nn.Sequential(nn.Conv2d(1, 24, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 3, 1, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.99)), torch.optim.Adam(D.parameters(), 5e-4, (0.5, 0.99))
for s in range(600):
    f = G(torch.randn(32, 16)); od.zero_grad(); (((D(shapes(32)) - 1) ** 2).mean() + ((D(f.detach()) + 1) ** 2).mean()).backward(); od.step()
    og.zero_grad(); (D(f) ** 2).mean().backward(); og.step()
G.eval()
with torch.no_grad(): f = G(torch.randn(800, 16))
e = outside.energy(f, shapes(800)); outside.say(e < 0.06, energy=e)
