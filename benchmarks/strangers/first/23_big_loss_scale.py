"""Two moons, both losses multiplied by 5000 under Adam (which does not mind), 2 G steps per D step."""
import os, sys, torch
from torch import nn
from sklearn.datasets import make_moons
import gandiag, outside
LABEL = {"sick": False, "causes": [], "kind": "losses times 5000, Adam; R1", "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
X = torch.tensor(make_moons(5000, noise=0.08, random_state=SEED)[0], dtype=torch.float32)
def block(i, o): return nn.Sequential(nn.Linear(i, 96), nn.LeakyReLU(0.1), nn.Linear(96, 96), nn.LeakyReLU(0.1), nn.Linear(96, o))
G, D = block(4, 2), block(2, 1); C = 5000.0
og, od = torch.optim.Adam(G.parameters(), 3e-4, (0.5, 0.99)), torch.optim.Adam(D.parameters(), 2e-3, (0.5, 0.99)); sp = nn.functional.softplus
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for i in range(1100):
    r = X[torch.randint(5000, (100,))].requires_grad_(); out = D(r)
    pen, = torch.autograd.grad(out.sum(), r, create_graph=True)
    ld = C * (sp(-out).mean() + sp(D(G(torch.randn(100, 4)).detach())).mean() + 0.05 * pen.pow(2).sum(1).mean())
    od.zero_grad(); ld.backward(); od.step()
    for _ in range(2):
        lg = C * sp(-D(G(torch.randn(100, 4)))).mean(); og.zero_grad(); lg.backward(); og.step()
    rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = G(torch.randn(1000, 4))
e = outside.energy(f, X[:1000]); outside.say(e < 0.03, energy=e)
