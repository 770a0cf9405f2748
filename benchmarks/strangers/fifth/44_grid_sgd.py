"""Four clusters, tilted, with plain SGD; a static loss scale keeps the code the same as on the half-precision machine."""
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"], "kind": "gradients are clipped while they still carry the loss scale, then divided by it: steps are a thousandth of what was meant", "since": 0, "record": "attach"}
import os
import torch
from torch import nn
import torch.nn.functional as F
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

class LossScaler:
    def __init__(self, scale=1024.0):
        self.factor = scale
    def scale(self, loss):
        return loss * self.factor
    def unscale_(self, params):
        for p in params:
            if p.grad is not None:
                p.grad.div_(self.factor)
    def step(self, optimizer):
        params = [p for g in optimizer.param_groups for p in g["params"]]
        self.unscale_(params)
        if all(torch.isfinite(p.grad).all() for p in params if p.grad is not None):
            optimizer.step()

def update(model, optimizer, loss, scaler, max_norm=1.0):
    optimizer.zero_grad()
    scaler.scale(loss).backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.step(optimizer)

tilt = torch.tensor([[0.9, 0.3], [-0.3, 0.9]])
centres = torch.cartesian_prod(torch.tensor([-1.0, 1]), torch.tensor([-1.0, 1])) @ tilt
def grid(n):
    return centres[torch.randint(4, (n,))] + 0.15 * torch.randn(n, 2)

def mlp(i, o):
    return nn.Sequential(nn.Linear(i, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, o))

generator, discriminator = mlp(8, 2), mlp(2, 1)
sgd_g = torch.optim.SGD(generator.parameters(), lr=0.05, momentum=0.5)
sgd_d = torch.optim.SGD(discriminator.parameters(), lr=0.1, momentum=0.5)
scaler = LossScaler()

def main(steps=1500, n=256):
    for step in range(steps):
        real, fake = grid(n), generator(torch.randn(n, 8))
        on_real = discriminator(real.requires_grad_(True))
        slope, = torch.autograd.grad(on_real.sum(), real, create_graph=True)
        update(discriminator, sgd_d, F.softplus(-on_real).mean() + F.softplus(discriminator(fake.detach())).mean() + 0.2 * slope.pow(2).sum(1).mean(), scaler)
        update(generator, sgd_g, F.softplus(-discriminator(fake)).mean(), scaler)

main()
with torch.no_grad():
    s = generator(torch.randn(2000, 8))
n, near = outside.modes(s, centres, 0.5)
e = outside.energy(s, grid(1000))
outside.say(n == 4 and near > 0.6 and e < 0.03, modes=n, near=near, energy=e)
