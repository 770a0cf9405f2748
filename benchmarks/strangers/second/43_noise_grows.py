"""Nine small clusters with instance noise on D's inputs."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_weakness", "objective_fault"], "kind": "instance noise is annealed the wrong way: it grows from 0 to 6 on D's input (reals and fakes)", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def grid(n): return (torch.randint(3, (n, 2)).float() - 1) * 1.5 + 0.08 * torch.randn(n, 2)
class Annealer:
    def __init__(self, total, top=6.0): self.total, self.top, self.t = total, top, 0
    def __call__(self, x): return x + self.top * self.t / self.total * torch.randn_like(x)  # should be 1 - t / total
G = nn.Sequential(nn.Linear(4, 80), nn.ReLU(), nn.Linear(80, 80), nn.ReLU(), nn.Linear(80, 2))
D = nn.Sequential(nn.Linear(2, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.9)), torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.9))
noise = Annealer(1200)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True)
for step in range(1200):
    noise.t = step
    f = G(torch.randn(128, 4))
    ld = F.softplus(-D(noise(grid(128)))).mean() + F.softplus(D(noise(f.detach()))).mean()
    od.zero_grad(); ld.backward(); od.step()
    lg = F.softplus(-D(noise(f))).mean()
    og.zero_grad(); lg.backward(); og.step()
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

with torch.no_grad():
    s = G(torch.randn(1200, 4))
c = (torch.cartesian_prod(torch.arange(3), torch.arange(3)).float() - 1) * 1.5
good = float((torch.cdist(s, c).min(1).values < 0.32).float().mean())
print(json.dumps({"outcome": {"share_of_good_samples": good, "energy": energy(s, grid(1200))}, "well": good > 0.5}))
