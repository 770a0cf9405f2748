"""Discs 10x10; clip_grad_norm_(G, 1e-3) with SGD: a recipe for Adam used under SGD, G stands still."""
import os, torch, torch.nn as nn
import outside
LABEL = {"sick": True, "causes": ["stagnation", "learning_rate", "discriminator_dominance"], "kind": "G's gradient clipped to 0.001 under SGD 0.01: no movement", "since": 0, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
gy, gx = torch.meshgrid(torch.arange(10.), torch.arange(10.), indexing="ij")
def discs(n): c, k, r = 3 + 4 * torch.rand(n, 1, 1), 3 + 4 * torch.rand(n, 1, 1), 1.5 + torch.rand(n, 1, 1); return (2 * torch.sigmoid(2 * (r - ((gx - c) ** 2 + (gy - k) ** 2).sqrt())) - 1).unsqueeze(1)
G = nn.Sequential(nn.Linear(8, 96), nn.ReLU(), nn.Linear(96, 100), nn.Tanh(), nn.Unflatten(1, (1, 10, 10))); D = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(400, 1))
og, od = torch.optim.SGD(G.parameters(), 0.01), torch.optim.SGD(D.parameters(), 0.01, momentum=0.9); sp = nn.functional.softplus
for s in range(500):
    f = G(torch.randn(32, 8)); od.zero_grad(); (sp(-D(discs(32))) + sp(D(f.detach()))).mean().backward(); od.step()
    og.zero_grad(); sp(-D(f)).mean().backward(); nn.utils.clip_grad_norm_(G.parameters(), 1e-3); og.step()
with torch.no_grad(): f = G(torch.randn(600, 8))
e = outside.energy(f, discs(600)); outside.say(e < 0.1, energy=e)
