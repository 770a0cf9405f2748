"""A mixture in ten dimensions with SGD and gradient clipping."""
LABEL = {"sick": True, "causes": ["stagnation", "learning_rate", "vanishing_generator_gradient"], "kind": "clip_grad_norm_ at 1e-4 with SGD: nothing moves", "since": 0, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
M = torch.randn(4, 10)
def data():
    while True:
        yield M[torch.randint(4, (80,))] * 1.5 + 0.3 * torch.randn(80, 10)
class Net(nn.Sequential):
    def __init__(self, *sizes):
        layers = []
        for a, b in zip(sizes, sizes[1:]):
            layers += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
        super().__init__(*layers[:-1])
gen, dis = Net(8, 64, 64, 10), Net(10, 64, 64, 1)
sgd_g, sgd_d = torch.optim.SGD(gen.parameters(), 0.05, momentum=0.5), torch.optim.SGD(dis.parameters(), 0.05, momentum=0.5)
MAX_NORM = 1e-4
it = data()
for step in range(700):
    x = next(it)
    fake = gen(torch.randn(80, 8))
    sgd_d.zero_grad()
    (F.softplus(-dis(x)).mean() + F.softplus(dis(fake.detach())).mean()).backward()
    nn.utils.clip_grad_norm_(dis.parameters(), MAX_NORM)
    sgd_d.step()
    sgd_g.zero_grad()
    F.softplus(-dis(fake)).mean().backward()
    nn.utils.clip_grad_norm_(gen.parameters(), MAX_NORM)
    sgd_g.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(gen(torch.randn(1200, 8)), torch.cat([next(it) for _ in range(15)]))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.1}))
