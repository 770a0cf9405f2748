"""Moons; D is trained on a history buffer of fakes that is filled in the first 30 steps and never refreshed."""
import os, torch
from torch import nn
from sklearn.datasets import make_moons
import outside
LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault", "mode_collapse"], "kind": "D sees only the old fakes of the first 30 steps", "since": 30, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
X = torch.tensor(make_moons(3000, noise=0.05, random_state=2)[0], dtype=torch.float32)
class ImagePool:
    def __init__(self, size): self.size, self.items = size, []
    def query(self, batch):
        if len(self.items) < self.size: self.items.append(batch); return batch
        return self.items[torch.randint(self.size, (1,)).item()]
pool = ImagePool(30)
G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)); D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
og, od = torch.optim.Adam(G.parameters(), 5e-4, (0.5, 0.99)), torch.optim.Adam(D.parameters(), 5e-4, (0.5, 0.99)); mse = nn.MSELoss()
for s in range(800):
    fake = G(torch.randn(64, 4)); og.zero_grad(); p = D(fake); mse(p, torch.ones_like(p)).backward(); og.step()
    od.zero_grad(); pr, pf = D(X[torch.randint(3000, (64,))]), D(pool.query(fake.detach()))
    (0.5 * mse(pr, torch.ones_like(pr)) + 0.5 * mse(pf, torch.zeros_like(pf))).backward(); od.step()
with torch.no_grad(): f = G(torch.randn(1000, 4))
e = outside.energy(f, X); outside.say(e < 0.05, energy=e)
