"""Grid of nine; since step 600 G makes eight updates on each of D ("G's loss was too high")."""
import os, sys, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["mode_collapse", "oscillation", "discriminator_weakness"], "kind": "ten G updates per D update since step 500", "since": 500, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
grid = torch.cartesian_prod(torch.tensor([-2., 0, 2]), torch.tensor([-2., 0, 2])); get = lambda n=96: grid[torch.randint(9, (n,))] + 0.1 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(8, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 2)); D = nn.Sequential(nn.Linear(2, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.99)), torch.optim.Adam(D.parameters(), 1e-3, (0.5, 0.99)); sp = nn.functional.softplus
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for s in range(750):
    ld = (sp(-D(get())) + sp(D(G(torch.randn(96, 8)).detach()))).mean(); od.zero_grad(); ld.backward(); od.step()
    for _ in range(1 if s < 500 else 10): lg = sp(-D(G(torch.randn(96, 8)))).mean(); og.zero_grad(); lg.backward(); og.step()
    rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = G(torch.randn(1000, 8))
m, g = outside.modes(f, grid, 0.4); outside.say(m >= 7, modes=m, good=g, energy=outside.energy(f, get(1000)))
