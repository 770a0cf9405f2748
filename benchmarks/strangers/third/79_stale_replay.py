"""A swiss roll in the plane with a replay pool of fakes, kept in numpy."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault", "data_mismatch"], "kind": "the pool is full at step 300 and never takes new fakes: D is only shown old ones", "since": 300, "record": "lines"}
import json, os, sys
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED)


def roll(n):
    t = 4.5 * (1 + 2 * np.random.rand(n)) / 3 * np.pi / 1.5
    return torch.tensor(np.stack([t * np.cos(t), t * np.sin(t)], 1) / 4 + 0.04 * np.random.randn(n, 2), dtype=torch.float32)


class Replay:
    def __init__(self, capacity=300 * 100):
        self.capacity, self.items = capacity, []

    def push_and_sample(self, y):
        y = y.detach()
        if len(self.items) * 100 < self.capacity:
            self.items.append(y.numpy().copy())
            return y
        pick = np.random.randint(len(self.items) // 2, len(self.items), 1)[0]
        return torch.from_numpy(self.items[pick])


G = nn.Sequential(nn.Linear(4, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 2))
D = nn.Sequential(nn.Linear(2, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.99)), torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.99))
rec, pool = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od), Replay()


def distance():
    s, r = G(torch.randn(1000, 4)).detach(), roll(1000)
    return float((2 * torch.cdist(s, r).mean() - torch.cdist(s, s).mean() - torch.cdist(r, r).mean()) / torch.cdist(r, r).mean())


for step in range(800):
    if step == 300:
        at_300 = distance()
    x, y = roll(100), G(torch.randn(100, 4))
    old = pool.push_and_sample(y)
    real_logits, fake_logits = D(x), D(old)
    d_loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
    od.zero_grad(); d_loss.backward(); od.step()
    g_loss = F.softplus(-D(y)).mean()
    og.zero_grad(); g_loss.backward(); og.step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real_logits=real_logits, fake_logits=fake_logits)
rec.close()
print(json.dumps({"outcome": {"energy": distance(), "at_300": at_300}, "well": distance() < 0.06}))
