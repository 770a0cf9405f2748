"""Audio-like chirps of 64 samples, conv1d nets with WGAN-GP and five critic steps."""
import os, torch, math
from torch import nn
import outside
LABEL = {"sick": False, "causes": [], "kind": "conv1d WGAN-GP", "since": None, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
t = torch.linspace(0, 1, 32)
def chirps(n): f = 1 + 2 * torch.rand(n, 1); return ((0.5 + 0.5 * torch.rand(n, 1)) * torch.sin(2 * math.pi * (f * t + 0.5 * t ** 2 + torch.rand(n, 1)))).unsqueeze(1)
G = nn.Sequential(nn.Linear(12, 256), nn.ReLU(), nn.Unflatten(1, (32, 8)), nn.ConvTranspose1d(32, 24, 4, 2, 1), nn.ReLU(), nn.ConvTranspose1d(24, 1, 4, 2, 1), nn.Tanh())
C = nn.Sequential(nn.Conv1d(1, 24, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(24, 32, 5, 2, 2), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(256, 1))
og, oc = torch.optim.Adam(G.parameters(), 1e-3, (0.0, 0.9)), torch.optim.Adam(C.parameters(), 1e-3, (0.0, 0.9))
def gp(r, f):
    a = torch.rand(len(r), 1, 1); x = (a * r + (1 - a) * f).requires_grad_(); g, = torch.autograd.grad(C(x).sum(), x, create_graph=True); return ((g.flatten(1).norm(dim=1) - 1) ** 2).mean()
for it in range(350):
    for _ in range(5):
        r, f = chirps(32), G(torch.randn(32, 12)).detach(); oc.zero_grad(); (C(f).mean() - C(r).mean() + 10 * gp(r, f)).backward(); oc.step()
    og.zero_grad(); (-C(G(torch.randn(32, 12))).mean()).backward(); og.step()
with torch.no_grad(): f = G(torch.randn(1000, 12))
e = outside.energy(f, chirps(1000)); outside.say(e < 0.06, energy=e)
