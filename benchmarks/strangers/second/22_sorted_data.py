"""Ten clusters from a file that is sorted by cluster; while-loop over epochs."""
LABEL = {"sick": True, "causes": ["data_mismatch", "mode_collapse", "oscillation"], "kind": "no shuffling of sorted data: the clusters come one after another", "since": 0, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
centres = 3 * torch.randn(10, 2)
per = 640
file = torch.cat([c + 0.15 * torch.randn(per, 2) for c in centres])
loader = DataLoader(TensorDataset(file), batch_size=64, shuffle=False)
class G_(nn.Module):
    def __init__(self):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    def forward(self, z): return self.seq(z)
class D_(nn.Module):
    def __init__(self):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    def forward(self, x): return self.seq(x)
g, d = G_(), D_()
og, od = torch.optim.Adam(g.parameters(), 2e-3, betas=(0.5, 0.999)), torch.optim.Adam(d.parameters(), 2e-3, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()
rec = gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od)
epoch = 0
while epoch < 11:
    for (x,) in loader:
        f = g(torch.randn(len(x), 8))
        a, b = d(x), d(f.detach())
        ld = bce(a, torch.ones_like(a)) + bce(b, torch.zeros_like(b))
        od.zero_grad(); ld.backward(); od.step()
        b = d(f)
        lg = bce(b, torch.ones_like(b))
        og.zero_grad(); lg.backward(); og.step()
        rec.step(d_loss=ld, g_loss=lg)
    epoch += 1
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(g(torch.randn(1200, 8)), file[torch.randperm(len(file))])
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.1}))
