"""Linear generator against quadratic discriminator (the LQG setting of the theory papers), played with extragradient."""
LABEL = {"sick": False, "causes": [], "kind": "a linear generator and a purely quadratic, regularised discriminator, the value going to 0 from both sides; extrapolation steps change the weights and are undone, plain SGD", "since": None, "record": "attach"}

import copy, os
import torch
from torch import nn
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

DIM, BATCH, STEPS = 4, 256, 2500
root = torch.tensor([[1.5, 0.0, 0.0, 0.0], [0.6, 1.0, 0.0, 0.0], [-0.5, 0.3, 0.7, 0.0], [0.2, -0.4, 0.3, 0.5]])
centre = torch.tensor([1.0, -0.5, 0.3, 2.0])


def law(n):
    return torch.randn(n, DIM) @ root.T + centre


class LinearGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.A = nn.Parameter(0.3 * torch.eye(DIM) + 0.05 * torch.randn(DIM, DIM))
        self.b = nn.Parameter(torch.zeros(DIM))

    def forward(self, z):
        return z @ self.A.T + self.b


class QuadraticDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.W = nn.Parameter(torch.zeros(DIM, DIM))
        self.w = nn.Parameter(torch.zeros(DIM))

    def forward(self, x):
        return ((x @ self.W) * x).sum(1) + x @ self.w


def value(gen, dis, x, z):
    return dis(x).mean() - dis(gen(z)).mean()


gen, dis = LinearGenerator(), QuadraticDiscriminator()
eta, ridge = 0.03, 0.5
opt_gen = torch.optim.SGD(gen.parameters(), lr=eta)
opt_dis = torch.optim.SGD(dis.parameters(), lr=eta * 2)


def gradients(x, z):
    opt_gen.zero_grad(); opt_dis.zero_grad()
    v = value(gen, dis, x, z)
    reg = ridge * sum((p ** 2).sum() for p in dis.parameters())
    v_g = torch.autograd.grad(v, list(gen.parameters()), retain_graph=True)
    v_d = torch.autograd.grad(-v + reg, list(dis.parameters()))
    for p, g in zip(gen.parameters(), v_g):
        p.grad = g
    for p, g in zip(dis.parameters(), v_d):
        p.grad = g
    return v.item()


for t in range(STEPS):
    x, z = law(BATCH), torch.randn(BATCH, DIM)
    saved = [p.detach().clone() for p in (*gen.parameters(), *dis.parameters())]
    gradients(x, z)                       # look ahead
    with torch.no_grad():
        for p in gen.parameters(): p -= eta * p.grad
        for p in dis.parameters(): p -= 2 * eta * p.grad
    v = gradients(x, z)                   # gradient there, step from here
    with torch.no_grad():
        for p, s in zip((*gen.parameters(), *dis.parameters()), saved): p.copy_(s)
    opt_gen.step(); opt_dis.step()
    if t == 1500:
        for o in (opt_gen, opt_dis): o.param_groups[0]["lr"] *= 0.3
    if t % 500 == 0:
        print(t, round(v, 4))

with torch.no_grad():
    cov = gen.A @ gen.A.T
    err = ((cov - root @ root.T).norm() / (root @ root.T).norm()).item()
    shift = (gen.b - centre).norm().item()
    e = outside.energy(gen(torch.randn(2000, DIM)), law(2000))
outside.say(err < 0.15 and shift < 0.2 and e < 0.01, covariance_error=err, mean_error=shift, energy=e)
