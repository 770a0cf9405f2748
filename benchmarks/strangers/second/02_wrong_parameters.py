"""Two moons by a least-squares GAN in plain functions."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "discriminator_dominance"], "kind": "optimizer of G was given D's parameters (copy and paste)", "since": 0, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag
from sklearn.datasets import make_moons

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def moons(n):
    x, _ = make_moons(n, noise=0.05, random_state=int(torch.randint(10**6, (1,))))
    return torch.tensor(x, dtype=torch.float32)

def mlp(i, o, h=64):
    return nn.Sequential(nn.Linear(i, h), nn.LeakyReLU(0.1), nn.Linear(h, h), nn.LeakyReLU(0.1), nn.Linear(h, o))

def main():
    gen, dis = mlp(4, 2), mlp(2, 1)
    opt_d = torch.optim.Adam(dis.parameters(), lr=1e-3)
    opt_g = torch.optim.Adam(dis.parameters(), lr=1e-3)
    rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=opt_g, discriminator_optimizer=opt_d)
    for _ in range(900):
        x = moons(128)
        opt_d.zero_grad()
        ld = ((dis(x) - 1) ** 2).mean() + (dis(gen(torch.randn(128, 4)).detach()) ** 2).mean()
        ld.backward()
        opt_d.step()
        opt_g.zero_grad()
        lg = ((dis(gen(torch.randn(128, 4))) - 1) ** 2).mean()
        lg.backward()
        opt_g.step()
        rec.step(d_loss=ld, g_loss=lg)
    rec.close()
    return gen

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

if __name__ == "__main__":
    gen = main()
    e = energy(gen(torch.randn(1000, 4)), moons(1000))
    print(json.dumps({"outcome": {"energy": e}, "well": e < 0.05}))
