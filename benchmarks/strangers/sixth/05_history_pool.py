"""Spectra with one of four lines; the discriminator is shown a history of generated spectra against forgetting."""
import os, random, sys
import torch
from torch import nn, optim
import gandiag, outside

LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault"],
         "kind": "the history pool is never refreshed once full: D is trained on the fakes of the first steps only", "since": 15,
         "record": "automatic"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
random.seed(SEED)
torch.set_num_threads(1)
WIDTH = 24
LINES = [4.0, 9.0, 14.0, 19.0]

def spectra(n):
    k = torch.randint(4, (n,))
    centre = torch.tensor(LINES)[k] + 0.3 * torch.randn(n)
    width = 1.0 + 0.3 * torch.rand(n)
    height = 0.8 + 0.4 * torch.rand(n)
    axis = torch.arange(WIDTH).float()
    return height[:, None] * torch.exp(-((axis - centre[:, None]) / width[:, None]) ** 2 / 2) + 0.02 * torch.randn(n, WIDTH)

class HistoryPool:
    """Returns a mixture of old and new samples (Shrivastava et al.)."""
    def __init__(self, size):
        self.size, self.items = size, []
    def query(self, batch):
        out = []
        for item in batch:
            if len(self.items) < self.size:
                self.items.append(item.clone())
                out.append(item)
            else:
                k = random.randrange(self.size)
                out.append(self.items[k])
        return torch.stack(out)

def net(sizes, act, last=None):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), act()]
    return nn.Sequential(*layers[:-1])

def train(G, D, og, od, steps=2000, batch=64):
    pool = HistoryPool(1000)
    bce = nn.BCEWithLogitsLoss()
    one, zero = torch.ones(batch, 1), torch.zeros(batch, 1)
    for _ in range(steps):
        fake = G(torch.randn(batch, 12))
        real = spectra(batch).requires_grad_()
        old = pool.query(fake.detach())
        out = D(real)
        penalty = torch.autograd.grad(out.sum(), real, create_graph=True)[0].pow(2).sum(1).mean()
        loss = bce(out, one) + bce(D(old), zero) + 0.6 * penalty
        od.zero_grad(); loss.backward(); od.step()
        og.zero_grad(); bce(D(fake), one).backward(); og.step()

G, D = net([12, 96, 96, 96, WIDTH], nn.ReLU), net([WIDTH, 96, 96, 1], lambda: nn.LeakyReLU(0.2))
og, od = optim.Adam(G.parameters(), 8e-4, (0.0, 0.99)), optim.Adam(D.parameters(), 8e-4, (0.0, 0.99))
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    train(G, D, og, od)
with torch.no_grad():
    fake = G(torch.randn(1000, 12))
real = spectra(1000)
e = outside.energy(fake, real)
centres = torch.exp(-((torch.arange(WIDTH)[None] - torch.tensor(LINES)[:, None]) / 1.15) ** 2 / 2)
found, near = outside.modes(fake, centres, 0.9)
outside.say(e < 0.02 and found == 4 and near > 0.85, energy=e, lines=found, near=near)
