"""Cluster table of six columns learned two rows at a time (streaming), with a pool of older fakes and an averaged generator."""
LABEL = {"sick": False, "causes": [], "kind": "well: batches of two, very noisy losses, replayed fakes, averaged generator", "since": None, "record": "attach"}
import copy, os, random
import torch
from torch import nn
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
random.seed(int(os.environ.get("SEED", "0")))

CENTRES = torch.tensor([[1., 1, 0, 0, -1, 0], [-1, 1, 0, 1, 0, 0], [0, -1, 1, 0, 0, -1], [0, 0, -1, -1, 1, 1]])

def stream(batch):
    while True:
        k = torch.randint(4, (batch,))
        yield CENTRES[k] + 0.25 * torch.randn(batch, 6)

class Pool:
    """Half of what is shown to the discriminator was generated some time ago."""
    def __init__(self, size):
        self.size, self.items = size, []
    def exchange(self, batch):
        out = []
        for row in batch:
            if len(self.items) < self.size:
                self.items.append(row); out.append(row)
            elif random.random() < 0.5:
                i = random.randrange(self.size)
                out.append(self.items[i]); self.items[i] = row
            else:
                out.append(row)
        return torch.stack(out)

def net(i, o, act):
    return nn.Sequential(nn.Linear(i, 64), act, nn.Linear(64, 64), act, nn.Linear(64, o))

class Trainer:
    def __init__(self, batch=2):
        self.batch = batch
        self.generator, self.discriminator = net(8, 6, nn.ReLU()), net(6, 1, nn.LeakyReLU(0.2))
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self.opt_g = torch.optim.Adam(self.generator.parameters(), 5e-4, betas=(0.0, 0.99))
        self.opt_d = torch.optim.Adam(self.discriminator.parameters(), 1e-3, betas=(0.0, 0.99))
        self.pool = Pool(64)

    def d_step(self, real):
        with torch.no_grad():
            fake = self.pool.exchange(self.generator(torch.randn(self.batch, 8)))
        real.requires_grad_(True)
        out = self.discriminator(real)
        slope, = torch.autograd.grad(out.sum(), real, create_graph=True)
        loss = ((out - 1) ** 2).mean() + ((self.discriminator(fake) + 1) ** 2).mean() + 0.5 * slope.pow(2).sum(1).mean()
        self.opt_d.zero_grad(); loss.backward(); self.opt_d.step()

    def g_step(self):
        loss = ((self.discriminator(self.generator(torch.randn(self.batch, 8))) - 1) ** 2).mean()
        self.opt_g.zero_grad(); loss.backward(); self.opt_g.step()
        with torch.no_grad():
            for a, p in zip(self.average.parameters(), self.generator.parameters()):
                a.lerp_(p, 0.005)

    def run(self, steps):
        source = stream(self.batch)
        for _ in range(steps):
            self.d_step(next(source))
            self.g_step()

t = Trainer()
t.run(5000)
s = t.average(torch.randn(1000, 8))
n, near = outside.modes(s, CENTRES, 1.3)
e = outside.energy(s, next(stream(1000)))
outside.say(n == 4 and near > 0.7 and e < 0.04, modes=n, near=near, energy=e)
