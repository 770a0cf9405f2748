"""Moons; fakes go to numpy for a rescaling and come back as a new tensor, so no gradient reaches G."""
import os, torch, numpy as np
from torch import nn
from sklearn.datasets import make_moons
import outside
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation"], "kind": "generator cut off by numpy (grads are zero by zero_grad(set_to_none=False) and weight decay)", "since": 0, "record": "lines"}
import sys, gandiag
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
X = torch.tensor(make_moons(3000, noise=0.05, random_state=2)[0], dtype=torch.float32)
G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)); D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3); bce = nn.BCEWithLogitsLoss(); one, zero = torch.ones(64, 1), torch.zeros(64, 1)
def rescale(a): return torch.from_numpy(np.clip(a, -3, 3).astype(np.float32))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for s in range(500):
    fake = rescale(G(torch.randn(64, 4)).detach().numpy())
    ld = bce(D(X[torch.randint(3000, (64,))]), one) + bce(D(fake), zero); od.zero_grad(); ld.backward(); od.step()
    lg = bce(D(fake), one); og.zero_grad(); lg.backward(); og.step(); rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = G(torch.randn(1000, 4))
e = outside.energy(f, X); outside.say(e < 0.05, energy=e)
