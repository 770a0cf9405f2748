"""Fine-tuning: networks trained on one cloud go on with a shifted one."""
LABEL = {"sick": False, "causes": [], "kind": "sound, recorded from a pre-trained state on", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, copy

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
base = torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.4]])
def data(n, shift): return base[torch.randint(3, (n,))] + shift + 0.15 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(4, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 2))
D = nn.Sequential(nn.Linear(2, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1))
def train(steps, shift, lr, rec=None, og=None, od=None):
    for _ in range(steps):
        x = data(160, shift).requires_grad_()
        f = G(torch.randn(160, 4))
        out = D(x)
        r1 = torch.autograd.grad(out.sum(), x, create_graph=True)[0].pow(2).sum(1).mean()
        ld = F.softplus(-out).mean() + F.softplus(D(f.detach())).mean() + 0.1 * r1
        od.zero_grad(); ld.backward(); od.step()
        lg = F.softplus(-D(f)).mean()
        og.zero_grad(); lg.backward(); og.step()
        if rec is not None:
            rec.step(d_loss=ld, g_loss=lg)
def adam(lr): return torch.optim.Adam(G.parameters(), lr, betas=(0.0, 0.99)), torch.optim.Adam(D.parameters(), lr, betas=(0.0, 0.99))
og, od = adam(1e-3)
train(1000, 0.0, 1e-3, None, og, od)
checkpoint = copy.deepcopy({"G": G.state_dict(), "D": D.state_dict()})
# a new session
G.load_state_dict(checkpoint["G"]); D.load_state_dict(checkpoint["D"])
og, od = adam(3e-4)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
train(900, torch.tensor([0.4, -0.3]), 3e-4, rec, og, od)
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G(torch.randn(1200, 4)), data(1200, torch.tensor([0.4, -0.3])))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.03}))
