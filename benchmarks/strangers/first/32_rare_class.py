"""Fraud-like table: 94 % ordinary rows, two small clusters of 3 %; five G steps for one of D lose the rare ones."""
import os, torch
from torch import nn
import outside
LABEL = {"sick": True, "causes": ["mode_dropping", "mode_collapse"], "kind": "rare clusters (3 % each) are never generated", "since": None, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
mu = torch.zeros(3, 6); mu[1, 0], mu[2, 1] = 4.0, -4.0
def rows(n):
    k = torch.multinomial(torch.tensor([0.94, 0.03, 0.03]), n, True); return mu[k] + 0.5 * torch.randn(n, 6) * torch.tensor([1., 1, .5, .5, .2, .2])
class Generator(nn.Module):
    def __init__(self): super().__init__(); self.h = nn.Sequential(nn.Linear(4, 24), nn.Tanh(), nn.Linear(24, 6))
    def forward(self, z): return self.h(z)
G = Generator(); D = nn.Sequential(nn.Linear(6, 24), nn.LeakyReLU(0.2), nn.Dropout(0.5), nn.Linear(24, 24), nn.LeakyReLU(0.2), nn.Dropout(0.5), nn.Linear(24, 1))
go, do = torch.optim.Adam(G.parameters(), 5e-4, (0.5, 0.9)), torch.optim.Adam(D.parameters(), 5e-4, (0.5, 0.9)); sp = nn.functional.softplus
for s in range(1000):
    x = rows(64); z = torch.randn(64, 4)
    do.zero_grad(); (sp(-D(x)) + sp(D(G(z).detach()))).mean().backward(); do.step()
    go.zero_grad(); sp(-D(G(torch.randn(64, 4)))).mean().backward(); go.step()
with torch.no_grad(): f = G(torch.randn(4000, 4))
s1 = float(((f - mu[1]).norm(dim=1) < 1.8).float().mean()); s2 = float(((f - mu[2]).norm(dim=1) < 1.8).float().mean())
outside.say(min(s1, s2) > 0.008, rare1=s1, rare2=s2, energy=outside.energy(f, rows(1000)))
