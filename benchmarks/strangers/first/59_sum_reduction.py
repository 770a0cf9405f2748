"""Two moons; after refactoring at step 400 the losses are reduction="sum" under SGD (128 times the rate)."""
import os, sys, torch
from torch import nn
from sklearn.datasets import make_moons
import gandiag, outside
LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "numerical_failure"], "kind": "sum instead of mean under SGD since step 400", "since": 400, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
X = torch.tensor(make_moons(3000, noise=0.05, random_state=2)[0], dtype=torch.float32)
G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)); D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
og, od = torch.optim.SGD(G.parameters(), 0.03, momentum=0.5), torch.optim.SGD(D.parameters(), 0.05, momentum=0.5); one, zero = torch.ones(128, 1), torch.zeros(128, 1)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for s in range(800):
    bce = nn.BCEWithLogitsLoss(reduction="mean" if s < 400 else "sum"); f = G(torch.randn(128, 4))
    ld = bce(D(X[torch.randint(3000, (128,))]), one) + bce(D(f.detach()), zero); od.zero_grad(); ld.backward(); od.step()
    lg = bce(D(f), one); og.zero_grad(); lg.backward(); og.step(); rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = G(torch.randn(1000, 4))
e = outside.energy(f, X); outside.say(e < 0.1, energy=e)
