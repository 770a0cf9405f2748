"""Four blobs; cosine schedule down to a rate of zero at the end, instance noise annealed on both sides."""
import os, sys, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": False, "causes": [], "kind": "cosine to zero, annealed instance noise on both", "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
grid = torch.cartesian_prod(torch.tensor([-1.5, 1.5]), torch.tensor([-1.5, 1.5]))
real_batch = lambda n: grid[torch.randint(4, (n,))] + 0.15 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(8, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 2)); D = nn.Sequential(nn.Linear(2, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 1))
N = 1500; og, od = torch.optim.Adam(G.parameters(), 5e-4, (0.5, 0.99)), torch.optim.Adam(D.parameters(), 1.5e-3, (0.5, 0.99)); sched = [torch.optim.lr_scheduler.CosineAnnealingLR(o, N) for o in (og, od)]; sp = nn.functional.softplus
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for s in range(N):
    sd = 0.5 * max(0, 1 - s / 900); jit = lambda x: x + sd * torch.randn_like(x)
    f = G(torch.randn(128, 8)); ld = sp(-D(jit(real_batch(128)))).mean() + sp(D(jit(f.detach()))).mean(); od.zero_grad(); ld.backward(); od.step()
    lg = sp(-D(jit(f))).mean(); og.zero_grad(); lg.backward(); og.step(); rec.step(d_loss=ld, g_loss=lg)
    for q in sched: q.step()
rec.close()
with torch.no_grad(): f = G(torch.randn(1000, 8))
m, g = outside.modes(f, grid, 0.5); e = outside.energy(f, real_batch(1000)); outside.say(m == 4 and e < 0.03, modes=m, good=g, energy=e)
