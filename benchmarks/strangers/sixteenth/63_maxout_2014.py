"""Reproduction of the 2014 recipe on a skewed banana density: maxout discriminator with dropout, SGD with growing momentum, decaying rate."""
LABEL = {"sick": False, "causes": [], "kind": "plain SGD with learning rate 0.1 and momentum climbing from 0.5 to 0.7, dropout in a maxout discriminator that hovers at chance, sigmoid output, sampler of uniform noise", "since": None, "record": "lines"}
import os, sys
import numpy as np
import torch
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


class Maxout(torch.nn.Module):
    def __init__(self, n_in, n_out, pieces):
        super().__init__()
        self.lin = torch.nn.Linear(n_in, n_out * pieces)
        self.shape = (n_out, pieces)
        torch.nn.init.uniform_(self.lin.weight, -0.6 / n_in ** .5, 0.6 / n_in ** .5)

    def forward(self, x):
        return self.lin(x).view(len(x), *self.shape).max(-1)[0]


def banana(n):
    a = np.random.randn(n)
    b = 0.35 * np.random.randn(n) + 0.7 * a ** 2 - 0.7
    return torch.tensor(np.stack([a, b], 1), dtype=torch.float32)


class Net2014(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.l = torch.nn.ModuleList([torch.nn.Linear(8, 100), torch.nn.Linear(100, 100), torch.nn.Linear(100, 2)])

    def forward(self, z):
        return self.l[2](torch.relu(self.l[1](torch.relu(self.l[0](z)))))


generator = Net2014()
discriminator = torch.nn.Sequential(Maxout(2, 60, 4), torch.nn.Dropout(0.1), Maxout(60, 60, 4), torch.nn.Dropout(0.1),
                                    torch.nn.Linear(60, 1), torch.nn.Sigmoid())
LR, MOMENTUM, FINAL, SATURATE, UPDATES, BATCH = 0.1, 0.5, 0.7, 2000, 3000, 100
g_sgd = torch.optim.SGD(generator.parameters(), lr=LR, momentum=MOMENTUM)
d_sgd = torch.optim.SGD(discriminator.parameters(), lr=LR, momentum=MOMENTUM)
recorder = Recorder(sys.argv[1], generator=generator, discriminator=discriminator, generator_optimizer=g_sgd,
                    discriminator_optimizer=d_sgd, discriminator_output="probability")
bce = torch.nn.BCELoss()
one, zero = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
mean_g = {k: v.clone() for k, v in generator.state_dict().items()}

for t in range(UPDATES):
    m = MOMENTUM + (FINAL - MOMENTUM) * min(1, t / SATURATE)
    lr = max(0.004, LR / 1.0012 ** t)
    for o in (g_sgd, d_sgd):
        o.param_groups[0].update(lr=lr, momentum=m)
    x = banana(BATCH)
    y = generator(torch.rand(BATCH, 8) * 2 * 3 ** .5 - 3 ** .5)
    px, py = discriminator(x), discriminator(y.detach())
    cost_d = bce(px, one) + bce(py, zero)
    d_sgd.zero_grad(); cost_d.backward(); d_sgd.step()
    pg = discriminator(y)
    cost_g = bce(pg, one)
    g_sgd.zero_grad(); cost_g.backward(); g_sgd.step()
    for k, v in generator.state_dict().items():
        mean_g[k].lerp_(v, 0.01)
    recorder.step(real_logits=px, fake_logits=py, d_loss=cost_d, g_loss=cost_g, real=x, fake=y)
recorder.close()

generator.load_state_dict(mean_g)
with torch.no_grad():
    s = generator(torch.rand(4000, 8) * 2 * 3 ** .5 - 3 ** .5)
e = outside.energy(s, banana(4000))
a, b = s[:, 0], s[:, 1]
ridge = float((b - 0.7 * a ** 2 + 0.7).std())
outside.say(e < 0.02 and 0.75 < float(a.std()) < 1.25 and 0.2 < ridge < 0.6, energy=e, spread=float(a.std()), ridge=ridge)
