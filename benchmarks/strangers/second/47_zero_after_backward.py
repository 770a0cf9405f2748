"""Lissajous curve; gradients are cleared in an unlucky place."""
LABEL = {"sick": True, "causes": ["objective_fault", "vanishing_generator_gradient", "stagnation"], "kind": "G's zero_grad stands between backward and step", "since": 0, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, math

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def curve(n):
    t = 2 * math.pi * torch.rand(n, 1)
    return torch.cat([torch.sin(2 * t), torch.sin(3 * t)], 1) + 0.03 * torch.randn(n, 2)
class Player:
    def __init__(self, net, lr):
        self.net, self.opt = net, torch.optim.Adam(net.parameters(), lr, betas=(0.5, 0.9))
G = Player(nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)), 1e-3)
D = Player(nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)), 1e-3)
rec = gandiag.Recorder(sys.argv[1], generator=G.net, discriminator=D.net, generator_optimizer=G.opt, discriminator_optimizer=D.opt)
for i in range(700):
    f = G.net(torch.randn(128, 4))
    D.opt.zero_grad()
    ld = F.softplus(-D.net(curve(128))).mean() + F.softplus(D.net(f.detach())).mean()
    ld.backward()
    D.opt.step()
    lg = F.softplus(-D.net(f)).mean()
    lg.backward()
    G.opt.zero_grad(set_to_none=False)
    G.opt.step()
    rec.step(d_loss=ld, g_loss=lg)
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G.net(torch.randn(1200, 4)), curve(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
