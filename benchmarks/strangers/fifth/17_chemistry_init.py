"""Concentrations of fifteen substances in river water (log scale). Deep narrow networks with our own initialisation."""
LABEL = {"sick": True, "causes": ["dead_layers"], "kind": "tiny weights and negative biases in deep ReLU layers of the generator: no unit ever fires", "since": 0, "record": "lines"}
import os, sys
import torch
from torch import nn
import gandiag, outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

N_SUB, N_Z = 15, 16
rs = torch.Generator().manual_seed(11)
LOAD = torch.randn(4, N_SUB, generator=rs) * torch.tensor([0.8, 0.5, 0.4, 0.3])[:, None]

def river(n):
    f = torch.randn(n, 4)
    f[:, 0] = f[:, 0].abs() - 0.8
    return f @ LOAD + 0.3 * f[:, :1] * f[:, 1:2] + 0.2 * torch.randn(n, N_SUB)

def init(module):
    for m in module.modules():
        if isinstance(m, nn.Linear):
            nn.init.normal_(m.weight, 0.0, 0.02)
            nn.init.constant_(m.bias, -0.1)

class Net(nn.Module):
    def __init__(self, n_in, n_out, width, depth, slope):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(n_in if i == 0 else width, width) for i in range(depth)])
        self.last = nn.Linear(width, n_out)
        self.slope = slope
    def forward(self, h):
        for layer in self.layers:
            h = nn.functional.leaky_relu(layer(h), self.slope)
        return self.last(h)

G = Net(N_Z, N_SUB, 64, 3, 0.0)
D = Net(N_SUB, 1, 64, 2, 0.2)
init(G)
g_adam = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.0, 0.99))
d_adam = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.0, 0.99))

def d_step(x):
    x.requires_grad_()
    with torch.no_grad():
        y = G(torch.randn(len(x), N_Z))
    a, b = D(x), D(y)
    loss = nn.functional.softplus(-a).mean() + nn.functional.softplus(b).mean()
    grad, = torch.autograd.grad(a.sum(), x, create_graph=True)
    d_adam.zero_grad(); (loss + 0.3 * grad.pow(2).sum(1).mean()).backward(); d_adam.step()
    return loss.item(), a.detach(), b.detach(), y

def g_step(n):
    loss = nn.functional.softplus(-D(G(torch.randn(n, N_Z)))).mean()
    g_adam.zero_grad(); loss.backward(); g_adam.step()
    return loss.item()

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_adam, discriminator_optimizer=d_adam) as rec:
    for _ in range(1000):
        x = river(96)
        dl, a, b, y = d_step(x)
        gl = g_step(96)
        rec.step(d_loss=dl, g_loss=gl, real=x, fake=y, real_logits=a, fake_logits=b)

with torch.no_grad():
    s = G(torch.randn(1000, N_Z))
e = outside.energy(s, river(1000))
outside.say(e < 0.03, energy=e, spread=float(s.std(0).mean()))
