"""Sets of ten points on random circles; set generator and DeepSets critic, logistic with R1."""
LABEL = {"sick": False, "causes": [], "kind": "sound: permutation-invariant critic, sets as samples", "since": None, "record": "attach"}
import json, math, os
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
POINTS = 10


def circles(n):
    r, c = 0.5 + 0.7 * torch.rand(n, 1, 1), 0.5 * torch.randn(n, 1, 2)
    a = 2 * math.pi * torch.rand(n, POINTS)
    return c + r * torch.stack([a.cos(), a.sin()], 2) + 0.05 * torch.randn(n, POINTS, 2)


class SetGenerator(nn.Module):
    """one code for the set, one for each point"""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8 + 4, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 2))

    def forward(self, z):
        own = torch.randn(len(z), POINTS, 4)
        return self.net(torch.cat([z[:, None].expand(-1, POINTS, -1), own], 2))


class SetCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2))
        self.rho = nn.Sequential(nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, x):
        h = self.phi(x)
        return self.rho(torch.cat([h.mean(1), h.max(1).values], 1))


G, C = SetGenerator(), SetCritic()
og, oc = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.0, 0.99)), torch.optim.Adam(C.parameters(), 2e-3, betas=(0.0, 0.99))
for step in range(650):
    x, y = circles(64).requires_grad_(), G(torch.randn(64, 8))
    out = C(x)
    r1 = torch.autograd.grad(out.sum(), x, create_graph=True)[0].square().sum((1, 2)).mean()
    loss = F.softplus(-out).mean() + F.softplus(C(y.detach())).mean() + 0.1 * r1
    oc.zero_grad(); loss.backward(); oc.step()
    loss_g = F.softplus(-C(y)).mean()
    og.zero_grad(); loss_g.backward(); og.step()


def features(x):
    c = x.mean(1)
    radius = (x - c[:, None]).norm(dim=2)
    return torch.cat([c, radius.mean(1, keepdim=True), radius.std(1, keepdim=True)], 1)


with torch.no_grad():
    s, r, q = features(G(torch.randn(1200, 8))), features(circles(1200)), features(circles(1200))
e = lambda a, b: float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
print(json.dumps({"outcome": {"energy_of_centre_radius_width": e(s, r), "reals_to_reals": e(q, r), "width": [float(s[:, 3].mean()), float(r[:, 3].mean())]}, "well": e(s, r) < 0.08}))
