"""Four sensors' readings from shards on disk (made here), logistic GAN with tanh output."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance"], "kind": "from the third shard on the readings come raw, not scaled to [-1, 1]", "since": 500, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
LOW, HIGH = torch.tensor([-3., 978., 40., -1.]), torch.tensor([33., 1048., 100., 13.])


def sensors(n):
    day = torch.rand(n)
    temp = 15 + 10 * torch.sin(6.283 * day) + 2 * torch.randn(n)
    pressure = 1013 + 15 * torch.randn(n)
    humid = (70 - 1.5 * (temp - 15) + 6 * torch.randn(n)).clamp(0, 100)
    wind = (6 + 3 * torch.randn(n)).clamp(0, 30)
    return torch.stack([temp, pressure, humid, wind], 1)


def scale(v):
    return 2 * (v - LOW) / (HIGH - LOW) - 1


def shards():
    yield scale(sensors(25000))
    yield scale(sensors(25000))
    yield sensors(25000)  # written by the new logger


def batches(size=100):
    for shard in shards():
        yield from shard.split(size)


G = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4), nn.Tanh())
D = nn.Sequential(nn.Linear(4, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
og, od = torch.optim.Adam(G.parameters(), 2e-3, (0.0, 0.99)), torch.optim.Adam(D.parameters(), 2e-3, (0.0, 0.99))
test = scale(sensors(1000))
e = lambda a, b: float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True)
kept = {}
for i, x in enumerate(batches()):
    if i == 500:
        kept = {k: v.clone() for k, v in G.state_dict().items()}
    fake, x = G(torch.randn(len(x), 8)), x.clone().requires_grad_()
    out = D(x)
    r1 = torch.autograd.grad(out.sum(), x, create_graph=True)[0].square().sum(1).mean()
    d = F.softplus(-out).mean() + F.softplus(D(fake.detach())).mean() + 0.02 * r1
    od.zero_grad(); d.backward(); od.step()
    g = F.softplus(-D(fake)).mean()
    og.zero_grad(); g.backward(); og.step()
rec.close()
z = torch.randn(1000, 8)
after = e(G(z).detach(), test)
G.load_state_dict(kept)
before = e(G(z).detach(), test)
print(json.dumps({"outcome": {"energy_after": after, "energy_before": before}, "well": after < 0.1}))
