"""Banana in 2-D with batches of four and slow rates; noisy losses, sound."""
import os, torch
from torch import nn
import outside
LABEL = {"sick": False, "causes": [], "kind": "batches of 4", "since": None, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
def banana(n): a = torch.randn(n); return torch.stack([a, 0.6 * a * a - 0.6 + 0.3 * torch.randn(n)], 1)
net = lambda i, o: nn.Sequential(nn.Linear(i, 48), nn.LeakyReLU(0.2), nn.Linear(48, 48), nn.LeakyReLU(0.2), nn.Linear(48, o))
G, D = net(2, 2), net(2, 1)
opt_g = torch.optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.99)); opt_d = torch.optim.Adam(D.parameters(), lr=4e-4, betas=(0.5, 0.99))
def r1(x):
    x = x.clone().requires_grad_(True); g, = torch.autograd.grad(D(x).sum(), x, create_graph=True); return g.pow(2).sum(1).mean()
for k in range(2000):
    real, z = banana(4), torch.randn(4, 2)
    loss = nn.functional.softplus(-D(real)).mean() + nn.functional.softplus(D(G(z).detach())).mean() + 0.2 * r1(real)
    opt_d.zero_grad(); loss.backward(); opt_d.step()
    opt_g.zero_grad(); nn.functional.softplus(-D(G(z))).mean().backward(); opt_g.step()
with torch.no_grad(): f = G(torch.randn(1000, 2))
e = outside.energy(f, banana(1000)); outside.say(e < 0.03, energy=e)
