"""Grid of nine; `if d_loss < 0.9: train_D = False` is never set back: D stops when it has first become good."""
import os, sys, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_weakness", "mode_collapse"], "kind": "D is no longer trained after a threshold of its loss", "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
grid = torch.cartesian_prod(torch.tensor([-2., 0, 2]), torch.tensor([-2., 0, 2]))
def real_batch(n): return grid[torch.randint(9, (n,))] + 0.1 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(8, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 2)); D = nn.Sequential(nn.Linear(2, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 1))
og, od = torch.optim.Adam(G.parameters(), 5e-4, (0.5, 0.99)), torch.optim.Adam(D.parameters(), 5e-4, (0.5, 0.99)); bce = nn.BCEWithLogitsLoss(); one, zero = torch.ones(96, 1), torch.zeros(96, 1)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od); train_D = True; stopped = None
for s in range(900):
    f = G(torch.randn(96, 8)); ld = bce(D(real_batch(96)), one) + bce(D(f.detach()), zero)
    if ld.item() < 1.15 and s > 250 and train_D: train_D, stopped = False, s
    if train_D: od.zero_grad(); ld.backward(); od.step()
    lg = bce(D(f), one); og.zero_grad(); lg.backward(); og.step(); rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = G(torch.randn(1000, 8))
m, g = outside.modes(f, grid, 0.4); outside.say(m >= 8, modes=m, good=g, stopped=stopped)
