"""Hinge GAN in a Trainer with callbacks, three bars of data."""
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "signs of the hinge loss turned round for D but not for G: both pull the same way", "since": 0, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def bars(n):
    return torch.stack([torch.randint(3, (n,)) * 1.2 - 1.2, 2 * torch.rand(n) - 1], 1) + 0.05 * torch.randn(n, 2)
class HingeLoss:
    def d(self, real, fake): return F.relu(1 + real).mean() + F.relu(1 - fake).mean()
    def g(self, fake): return -fake.mean()
class Trainer:
    def __init__(self, generator, discriminator, loss, callbacks=()):
        self.generator, self.discriminator, self.loss, self.callbacks = generator, discriminator, loss, callbacks
        self.g_opt = torch.optim.Adam(generator.parameters(), 5e-4, betas=(0.0, 0.9))
        self.d_opt = torch.optim.Adam(discriminator.parameters(), 5e-4, betas=(0.0, 0.9))
    def run(self, steps):
        for step in range(steps):
            real, fake = bars(128), self.generator(torch.randn(128, 4))
            ld = self.loss.d(self.discriminator(real), self.discriminator(fake.detach()))
            self.d_opt.zero_grad(); ld.backward(); self.d_opt.step()
            lg = self.loss.g(self.discriminator(fake))
            self.g_opt.zero_grad(); lg.backward(); self.g_opt.step()
            for c in self.callbacks:
                c(step, ld.item(), lg.item())
def mlp(i, o): return nn.Sequential(nn.Linear(i, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, o))

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

trainer = Trainer(mlp(4, 2), mlp(2, 1), HingeLoss(), [lambda s, d, g: s % 200 or print(s, round(d, 3), round(g, 3))])
trainer.run(700)
e = energy(trainer.generator(torch.randn(1200, 4)), bars(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
