"""WGAN-GP straight on positions in metres (hundreds), without any scaling of the data; both nets carry a fixed unit inside."""
LABEL = {"sick": False, "causes": [], "kind": "losses of hundreds and of changing sign, as the data are in hundreds; the samples fit", "since": None, "record": "lines"}
import os, sys, random
import numpy as np, torch
import torch.nn as nn
import gandiag, outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

STATIONS = torch.tensor([[-400., 250.], [300., 420.], [520., -310.], [-150., -380.], [40., 30.]])
def positions(n):
    return STATIONS[torch.randint(5, (n,))] + 50 * torch.randn(n, 2)

class Metres(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 2))
    def forward(self, z): return 300.0 * self.net(z)

G = Metres()

class Potential(nn.Module):
    """A score in metres too, so that a slope of one is natural."""
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
    def forward(self, x): return 300.0 * self.net(x / 300.0)

D = Potential()
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.0, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.0, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)

def gp(a, b):
    m = torch.lerp(a, b, torch.rand(len(a), 1)).requires_grad_()
    g, = torch.autograd.grad(D(m).sum(), m, create_graph=True)
    return ((g.norm(dim=1) - 1) ** 2).mean()

for it in range(2200):
    for _ in range(4):
        x, f = positions(128), G(torch.randn(128, 6)).detach()
        d_loss = D(f).mean() - D(x).mean() + 500 * gp(x, f)
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = -D(G(torch.randn(128, 6))).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
s = G(torch.randn(1000, 6)).detach()
n, near = outside.modes(s, STATIONS, 150.0)
e = outside.energy(s, positions(1000))
outside.say(n == 5 and near > 0.75 and e < 0.04, modes=n, near=near, energy=e)
