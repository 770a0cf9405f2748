"""A narrow single Gaussian in 10-D (low variety data) with a tiny GAN; little variety is right here."""
import os, torch
from torch import nn
import outside
LABEL = {"sick": False, "causes": [], "kind": "unimodal narrow data", "since": None, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
mean = torch.linspace(-1, 1, 10); std = torch.linspace(0.05, 0.3, 10)
def real(n): return mean + std * torch.randn(n, 10)
G = nn.Sequential(nn.Linear(10, 32), nn.LeakyReLU(0.2), nn.Linear(32, 10)); D = nn.Sequential(nn.Linear(10, 48), nn.LeakyReLU(0.2), nn.Linear(48, 48), nn.LeakyReLU(0.2), nn.Linear(48, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, (0.0, 0.9)), torch.optim.Adam(D.parameters(), 2e-3, (0.0, 0.9))
for s in range(900):
    r, f = real(64), G(torch.randn(64, 10)).detach(); e = torch.rand(64, 1); m = (e * r + (1 - e) * f).requires_grad_()
    gp = (torch.autograd.grad(D(m).sum(), m, create_graph=True)[0].norm(dim=1) - 1).pow(2).mean()
    od.zero_grad(); (D(f).mean() - D(r).mean() + gp).backward(); od.step()
    og.zero_grad(); (-D(G(torch.randn(64, 10))).mean()).backward(); og.step()
with torch.no_grad(): f = G(torch.randn(1000, 10))
e = outside.energy(f, real(1000)); outside.say(e < 0.04, energy=e, sd=float((f.std(0) / std).mean()))
