"""Moons; from step 400 on a merged config turns the real/fake labels of D round, G's stay."""
import os, torch
from torch import nn
from sklearn.datasets import make_moons
import outside
LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_weakness"], "kind": "D's labels swapped since step 400", "since": 400, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
X = torch.tensor(make_moons(3000, noise=0.05, random_state=4)[0], dtype=torch.float32)
G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)); D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
og, od = torch.optim.Adam(G.parameters(), 5e-4, (0.5, 0.99)), torch.optim.Adam(D.parameters(), 1e-3, (0.5, 0.99)); bce = nn.functional.binary_cross_entropy_with_logits
for s in range(700):
    real_label, fake_label = (1.0, 0.0) if s < 400 else (0.0, 1.0)
    f = G(torch.randn(128, 4)); a, b = D(X[torch.randint(3000, (128,))]), D(f.detach())
    od.zero_grad(); (bce(a, torch.full_like(a, real_label)) + bce(b, torch.full_like(b, fake_label))).backward(); od.step()
    og.zero_grad(); b = D(f); bce(b, torch.ones_like(b)).backward(); og.step()
with torch.no_grad(): f = G(torch.randn(1000, 4))
e = outside.energy(f, X); outside.say(e < 0.05, energy=e)
