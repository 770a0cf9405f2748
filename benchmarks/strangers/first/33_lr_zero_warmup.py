"""Two moons; D's warm-up factor `step // 1000` is integer division, its rate is zero for the whole run."""
import os, sys, torch
from torch import nn
from sklearn.datasets import make_moons
import gandiag, outside
LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_weakness", "learning_rate"], "kind": "rate of D is 0 (integer division in the warm-up)", "since": 0, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
X = torch.tensor(make_moons(3000, noise=0.05, random_state=1)[0], dtype=torch.float32)
G = nn.Sequential(nn.Linear(4, 64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 2)); D = nn.Sequential(nn.Linear(2, 64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 1))
g, d = torch.optim.Adam(G.parameters(), 5e-4), torch.optim.Adam(D.parameters(), 5e-4)
warm = torch.optim.lr_scheduler.LambdaLR(d, lambda s: min(1, s // 1000)); warm_g = torch.optim.lr_scheduler.LambdaLR(g, lambda s: min(1.0, (s + 1) / 100))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g, discriminator_optimizer=d)
for s in range(600):
    fake = G(torch.randn(128, 4)); a, b = D(X[torch.randint(3000, (128,))]), D(fake.detach())
    ld = (torch.relu(1 - a) + torch.relu(1 + b)).mean(); d.zero_grad(); ld.backward(); d.step(); warm.step()
    lg = -D(fake).mean(); g.zero_grad(); lg.backward(); g.step(); warm_g.step(); rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = G(torch.randn(1000, 4))
e = outside.energy(f, X); outside.say(e < 0.05, energy=e)
