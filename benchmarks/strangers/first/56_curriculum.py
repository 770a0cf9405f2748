"""Four blobs whose blobs are wide at first and narrowed over the run on purpose (curriculum); sound."""
import os, sys, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": False, "causes": [], "kind": "curriculum: data slowly narrowed", "since": None, "record": "automatic"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
grid = torch.cartesian_prod(torch.tensor([-1.5, 1.5]), torch.tensor([-1.5, 1.5]))
def draw(n, sd): return grid[torch.randint(4, (n,))] + sd * torch.randn(n, 2)
mk = lambda i, o: nn.Sequential(nn.Linear(i, 96), nn.LeakyReLU(0.1), nn.Linear(96, 96), nn.LeakyReLU(0.1), nn.Linear(96, o))
G, D = mk(8, 2), mk(2, 1); og, od = torch.optim.Adam(G.parameters(), 5e-4, (0.0, 0.99)), torch.optim.Adam(D.parameters(), 1e-3, (0.0, 0.99)); sp = nn.functional.softplus
def train(n):
    for s in range(n):
        sd = 0.8 - 0.6 * min(1, s / 1000); f = G(torch.randn(128, 8)); od.zero_grad(); (sp(-D(draw(128, sd))) + sp(D(f.detach()))).mean().backward(); od.step()
        og.zero_grad(); sp(-D(f)).mean().backward(); og.step()
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True): train(1300)
with torch.no_grad(): f = G(torch.randn(1000, 8))
m, g = outside.modes(f, grid, 0.6); e = outside.energy(f, draw(1000, 0.2)); outside.say(m == 4 and e < 0.03, modes=m, good=g, energy=e)
