"""A ring of eight bells with an L2 term on G's output whose weight follows a schedule."""
LABEL = {"sick": True, "causes": ["mode_collapse", "objective_fault", "discriminator_dominance"], "kind": "the weight of an output penalty doubles every 60 steps and wins: all fakes shrink to the middle", "since": 620, "record": "attach"}
import json, math, os
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
angle = torch.arange(8) * math.pi / 4
ring = 2 * torch.stack([angle.cos(), angle.sin()], 1)


class Experiment:
    def __init__(self):
        self.generator = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
        self.discriminator = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
        self.opt = [torch.optim.Adam(m.parameters(), 1e-3, betas=(0.5, 0.99)) for m in (self.generator, self.discriminator)]

    def reals(self, n):
        return ring[torch.randint(8, (n,))] + 0.08 * torch.randn(n, 2)

    def loss_d(self, x, y):
        x = x.requires_grad_()
        out = self.discriminator(x)
        r1 = torch.autograd.grad(out.sum(), x, create_graph=True)[0].square().sum(1).mean()
        return F.softplus(-out).mean() + F.softplus(self.discriminator(y)).mean() + 0.05 * r1

    def run(self, steps):
        for step in range(steps):
            x, y = self.reals(128), self.generator(torch.randn(128, 8))
            self.opt[1].zero_grad(); self.loss_d(x, y.detach()).backward(); self.opt[1].step()
            weight = 1e-4 * 2 ** (step / 60)
            self.opt[0].zero_grad()
            (F.softplus(-self.discriminator(y)).mean() + weight * y.square().sum(1).mean()).backward()
            self.opt[0].step()
            if step % 150 == 149:
                print(step + 1, self.measure())

    @torch.no_grad()
    def measure(self):
        s = self.generator(torch.randn(2000, 8))
        d, k = torch.cdist(s, ring).min(1)
        return {"good": float((d < 0.4).float().mean()), "modes": int((torch.bincount(k[d < 0.4], minlength=8) > 30).sum()), "spread": float(s.std())}


exp = Experiment()
exp.run(900)
m = exp.measure()
print(json.dumps({"outcome": m, "well": m["modes"] >= 7 and m["good"] > 0.6}))
