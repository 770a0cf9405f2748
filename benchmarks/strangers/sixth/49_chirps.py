"""Class-conditional chirps (rising, falling, steady) of 24 samples; one engine, options in a dataclass."""
import os, sys
from dataclasses import dataclass
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": True, "causes": ["oscillation", "learning_rate"], "since": 0, "record": "automatic",
         "kind": "Adam's betas are the wrong way round, (0.999, 0.5): a momentum of a thousand steps"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)


@dataclass
class Options:
    latent: int = 10
    width: int = 96
    batch: int = 64
    steps: int = 1500
    lr: float = 6e-4
    betas: tuple = (0.999, 0.5)
    r1: float = 0.2


def chirps(n):
    y = torch.randint(0, 3, (n,))
    t = torch.linspace(0, 1, 24)[None]
    slope = torch.tensor([3.0, -3.0, 0.0])[y][:, None]
    phase = (torch.rand(n, 1) - 0.5) * 1.5
    amp = 0.5 + 0.5 * torch.rand(n, 1)
    return amp * torch.sin(6.28 * (2.2 * t + slope * (t - 0.5) ** 2 * torch.sign(t - 0.5)) + phase), F.one_hot(y, 3).float()


class Engine:
    def __init__(self, o):
        self.o = o
        self.net_g = nn.Sequential(nn.Linear(o.latent + 3, o.width), nn.LeakyReLU(0.2), nn.Linear(o.width, o.width), nn.LeakyReLU(0.2),
                                   nn.Linear(o.width, 24))
        self.net_d = nn.Sequential(nn.Linear(27, o.width), nn.LeakyReLU(0.2), nn.Linear(o.width, o.width), nn.LeakyReLU(0.2),
                                   nn.Linear(o.width, 1))
        self.opt_g = torch.optim.Adam(self.net_g.parameters(), lr=o.lr, betas=o.betas)
        self.opt_d = torch.optim.Adam(self.net_d.parameters(), lr=o.lr, betas=o.betas)

    def generate(self, c):
        return self.net_g(torch.cat([torch.randn(len(c), self.o.latent), c], 1))

    def score(self, x, c):
        return self.net_d(torch.cat([x, c], 1))

    def iterate(self):
        x, c = chirps(self.o.batch)
        x.requires_grad_()
        f = self.generate(c)
        real = self.score(x, c)
        g, = torch.autograd.grad(real.sum(), x, create_graph=True)
        loss = F.softplus(-real).mean() + F.softplus(self.score(f.detach(), c)).mean() + self.o.r1 * g.square().sum(1).mean()
        self.opt_d.zero_grad(); loss.backward(); self.opt_d.step()
        loss = F.softplus(-self.score(f, c)).mean()
        self.opt_g.zero_grad(); loss.backward(); self.opt_g.step()

    def run(self):
        for _ in range(self.o.steps):
            self.iterate()


engine = Engine(Options())
with gandiag.Recorder(sys.argv[1], generator=engine.net_g, discriminator=engine.net_d, generator_optimizer=engine.opt_g,
                      discriminator_optimizer=engine.opt_d, automatic=True):
    engine.run()
r, c = chirps(1000)
with torch.no_grad():
    s = engine.generate(c)
e = [outside.energy(s[c[:, k] > 0], r[c[:, k] > 0]) for k in range(3)]
outside.say(max(e) < 0.05, worst_class=max(e), energy=outside.energy(s, r))
