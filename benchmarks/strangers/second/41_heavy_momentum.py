"""A two-cluster cloud with SGD and heavy momentum in both players."""
LABEL = {"sick": True, "causes": ["oscillation", "learning_rate", "divergence"], "kind": "SGD momentum 0.95 at a rate that is too large: the players chase each other", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def real(n): return torch.randint(2, (n, 1)).float() * torch.tensor([[3.0, 1.0]]) - 1.0 + 0.2 * torch.randn(n, 2)
def energy(a, b):
    aa, bb = torch.cdist(a, a).mean(), torch.cdist(b, b).mean()
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)
G = nn.Sequential(nn.Linear(3, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 2))
D = nn.Sequential(nn.Linear(2, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 1))
og, od = torch.optim.SGD(G.parameters(), 0.008, momentum=0.95), torch.optim.SGD(D.parameters(), 0.008, momentum=0.95)
trace = []
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od) as rec:
    for i in range(1100):
        x, f = real(128), G(torch.randn(128, 3))
        ld = F.softplus(-D(x)).mean() + F.softplus(D(f.detach())).mean()
        od.zero_grad(); ld.backward(); od.step()
        lg = F.softplus(-D(f)).mean()
        og.zero_grad(); lg.backward(); og.step()
        rec.step(d_loss=ld, g_loss=lg)
        if i >= 600 and i % 25 == 0:
            trace.append(energy(f.detach(), x))
mean, top, low = sum(trace) / len(trace), max(trace), min(trace)
print(json.dumps({"outcome": {"mean_energy_late": mean, "largest": top, "smallest": low}, "well": mean < 0.1}))
