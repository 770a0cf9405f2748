"""Narrow spokes in 2-D; instance noise of 0.4 is added to the reals and forgotten for the fakes."""
import os, torch, math
from torch import nn
import outside
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "instance noise on the reals only", "since": 0, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
def spokes(n): a = torch.randint(5, (n,)) * 2 * math.pi / 5; r = 0.3 + torch.rand(n); return torch.stack([r * a.cos(), r * a.sin()], 1) + 0.02 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(8, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 2)); D = nn.Sequential(nn.Linear(2, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.99)), torch.optim.Adam(D.parameters(), 1e-3, (0.5, 0.99)); bce = nn.BCEWithLogitsLoss()
for s in range(1000):
    x = spokes(128); x_noisy = x + 0.4 * torch.randn_like(x); f = G(torch.randn(128, 8))
    od.zero_grad(); (bce(D(x_noisy), torch.ones(128, 1)) + bce(D(f.detach()), torch.zeros(128, 1))).backward(); od.step()
    og.zero_grad(); bce(D(f), torch.ones(128, 1)).backward(); og.step()
with torch.no_grad(): f = G(torch.randn(1000, 8))
near = float((torch.cdist(f, spokes(3000)).min(1).values < 0.1).float().mean()); outside.say(near > 0.75, near=near, energy=outside.energy(f, spokes(1000)))
