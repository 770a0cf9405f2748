"""BiGAN on two arcs in the plane: encoder and generator against a joint discriminator of points and codes."""
LABEL = {"sick": False, "causes": [], "kind": "encoder and generator share one optimizer and the joint D is nearly fooled", "since": None, "record": "attach"}
import os, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import make_moons
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
def arcs(n):
    x, _ = make_moons(n, noise=0.06)
    return torch.tensor(x - [0.5, 0.25], dtype=torch.float32)
pool = arcs(4000)
NZ = 4
def net(i, o, h=112):
    return nn.Sequential(nn.Linear(i, h), nn.LeakyReLU(0.1), nn.Linear(h, h), nn.LeakyReLU(0.1), nn.Linear(h, o))
class Encoder(nn.Module):
    def __init__(self):
        super().__init__(); self.f = net(2, 2 * NZ)
    def forward(self, x):
        mu, ls = self.f(x).chunk(2, 1)
        return mu + torch.exp(ls.clamp(-5, 2)) * torch.randn_like(mu)
enc, dec, dis = Encoder(), net(NZ, 2), net(2 + NZ, 1)
opt_ge = torch.optim.Adam([*enc.parameters(), *dec.parameters()], lr=4e-4, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(dis.parameters(), lr=8e-4, betas=(0.5, 0.99))
for i in range(3500):
    x = pool[torch.randint(len(pool), (128,))]
    z = torch.randn(128, NZ)
    p, q = torch.cat([x, enc(x)], 1), torch.cat([dec(z), z], 1)
    pd, qd = p.detach().requires_grad_(), q.detach()
    op = dis(pd)
    r1 = torch.autograd.grad(op.sum(), pd, create_graph=True)[0].square().sum(1).mean()
    loss_d = F.softplus(-op).mean() + F.softplus(dis(qd)).mean() + 0.05 * r1
    opt_d.zero_grad(); loss_d.backward(); opt_d.step()
    loss_ge = F.softplus(dis(p)).mean() + F.softplus(-dis(q)).mean()
    opt_ge.zero_grad(); loss_ge.backward(); opt_ge.step()
with torch.no_grad():
    s = dec(torch.randn(1000, NZ))
e = outside.energy(s, arcs(1000))
near = (torch.cdist(s, arcs(1000)).min(1).values < 0.15).float().mean().item()
outside.say(e < 0.03 and near > 0.8, energy=e, near=near)
