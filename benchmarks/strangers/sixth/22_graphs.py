"""Graphs of eight nodes in two communities as upper triangles of zeros and ones, drawn hard with straight-through gradients."""
import os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": False, "causes": [], "kind": "binary output by straight-through binary concrete, D reads edges "
        "and common neighbours", "since": None,
         "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
V = 8
I, J = torch.triu_indices(V, V, 1)

SIDES = torch.tensor([[0, 0, 0, 0, 1, 1, 1, 1], [0, 1, 0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 0, 1, 0, 0]])

def full(edges):
    a = edges.new_zeros(len(edges), V, V)
    a[:, I, J] = edges
    return a + a.transpose(1, 2)

def graphs(n):
    side = SIDES[torch.randint(len(SIDES), (n,))]
    same = side[:, I] == side[:, J]
    p = torch.where(same, 0.95, 0.05)
    return torch.bernoulli(p)

class EdgeMaker(nn.Module):
    def __init__(self, z=16):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(z, 192), nn.LeakyReLU(0.2), nn.Linear(192, 192), nn.LeakyReLU(0.2), nn.Linear(192,
                192), nn.LeakyReLU(0.2),
                                 nn.Linear(192, len(I)))
    def forward(self, z):
        u = torch.rand(len(z), len(I)).clamp(1e-4, 1 - 1e-4)
        p = torch.sigmoid((3 * self.net(z) + torch.log(u / (1 - u))) / 0.7)
        return (p > 0.5).float() + p - p.detach()

class GraphJudge(nn.Module):
    """Reads edges and the number of common neighbours."""
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2 * len(I) + V, 192), nn.LeakyReLU(0.2), nn.Linear(192, 192), nn.LeakyReLU(0.2),
                nn.Linear(192, 1))
    def forward(self, edges):
        a = full(edges)
        two = a @ a
        return self.net(torch.cat([edges, two[:, I, J] / 3, a.sum(2) / 3], 1))

G, D = EdgeMaker(), GraphJudge()
og = torch.optim.Adam(G.parameters(), 1e-3, (0.0, 0.99))
od = torch.optim.Adam(D.parameters(), 1e-3, (0.0, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for step in range(2000):
    real, fake = graphs(64).requires_grad_(), G(torch.randn(64, 16))
    r, f = D(real), D(fake.detach())
    slope = torch.autograd.grad(r.sum(), real, create_graph=True)[0].pow(2).sum(1).mean()
    d_loss = F.softplus(-r).mean() + F.softplus(f).mean() + 0.3 * slope
    od.zero_grad(); d_loss.backward(); od.step()
    g_loss = F.softplus(-D(fake)).mean()
    og.zero_grad(); g_loss.backward(); og.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()

def triangles(e):
    a = full(e)
    return torch.diagonal(a @ a @ a, dim1=1, dim2=2).sum(1) / 6

with torch.no_grad():
    s = G(torch.randn(2000, 16))
t = graphs(2000)
e = outside.energy(s, t)
tri = outside.energy(triangles(s)[:1000, None], triangles(t)[:1000, None])
degree = outside.energy(full(s).sum(2).sort(1).values, full(t).sum(2).sort(1).values)
many = (triangles(s).mean() / triangles(t).mean()).item()
outside.say(e < 0.03 and tri < 0.04 and degree < 0.04 and 0.9 < many < 1.1, energy=e, many=many, triangles=tri, degrees=degree)
