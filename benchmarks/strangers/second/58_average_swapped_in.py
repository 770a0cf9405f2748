"""Five clusters with an averaged copy of the generator for evaluation."""
LABEL = {"sick": True, "causes": ["stagnation", "objective_fault", "learning_rate"], "kind": "averaged weights (0.9995) are copied back into the live generator each step: it hardly moves", "since": 0, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, copy

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
C = torch.tensor([[0.0, 2], [1.9, 0.6], [1.2, -1.6], [-1.2, -1.6], [-1.9, 0.6]])
def real(n): return C[torch.randint(5, (n,))] + 0.15 * torch.randn(n, 2)
class EMA:
    def __init__(self, net, decay=0.9995): self.net, self.shadow, self.decay = net, copy.deepcopy(net.state_dict()), decay
    def update(self):
        for k, v in self.net.state_dict().items():
            self.shadow[k].lerp_(v, 1 - self.decay)
    def apply(self): self.net.load_state_dict(self.shadow)
G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
ema = EMA(G)
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.9)), torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.9))
history = []
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for i in range(800):
    f = G(torch.randn(100, 4))
    ld = F.softplus(-D(real(100))).mean() + F.softplus(D(f.detach())).mean()
    od.zero_grad(); ld.backward(); od.step()
    lg = F.softplus(-D(f)).mean()
    og.zero_grad(); lg.backward(); og.step()
    rec.step(d_loss=ld, g_loss=lg)
    ema.update()
    ema.apply()  # for the sample grid; the restore is missing
    history.append(f.detach().mean(0))
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G(torch.randn(1200, 4)), real(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.08}))
