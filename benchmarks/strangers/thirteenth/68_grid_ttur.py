"""Two time-scale update rule on a 3x3 grid of points, hinge loss with a little R1, rates from a table in my notes."""
LABEL = {"sick": True, "causes": ["learning_rate", "discriminator_weakness", "mode_collapse"], "kind": "the two TTUR rates are the wrong way round and too far apart: D learns far too slowly for a fast G that chases it", "since": 0, "record": "attach"}
import os, random
import numpy as np, torch
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

g1 = torch.tensor([-1.5, 0.0, 1.5])
GRID = torch.cartesian_prod(g1, g1)
def batch(n): return GRID[torch.randint(9, (n,))] + 0.1 * torch.randn(n, 2)

def mlp(*sizes):
    layers = []
    for a, b in zip(sizes[:-1], sizes[1:]):
        layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])

LR_G, LR_D = 4e-3, 1e-5
generator, critic = mlp(4, 128, 128, 2), mlp(2, 128, 128, 128, 1)
opt = {"g": torch.optim.Adam(generator.parameters(), lr=LR_G, betas=(0.5, 0.9)),
       "d": torch.optim.Adam(critic.parameters(), lr=LR_D, betas=(0.5, 0.9))}

def update(which, loss):
    opt[which].zero_grad()
    loss.backward()
    opt[which].step()

for i in range(3500):
    noise = torch.randn(128, 4)
    x = batch(128).requires_grad_()
    out = critic(x)
    r1 = torch.autograd.grad(out.sum(), x, create_graph=True)[0].square().sum(1).mean()
    update("d", (1 - out).clamp(min=0).mean() + (1 + critic(generator(noise).detach())).clamp(min=0).mean() + 0.02 * r1)
    update("g", -critic(generator(noise)).mean())

with torch.no_grad():
    s = generator(torch.randn(1000, 4))
n, near = outside.modes(s, GRID, 0.4)
e = outside.energy(s, batch(1000))
outside.say(n >= 8 and near > 0.7 and e < 0.05, modes=n, near=near, energy=e)
