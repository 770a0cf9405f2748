"""Weight-clipped WGAN with RMSprop on a crescent."""
LABEL = {"sick": False, "causes": [], "kind": "sound WGAN with clipping", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, math

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
def crescent(n):
    a = math.pi * torch.rand(n)
    return torch.stack([a.cos(), a.sin()], 1) * (1 + 0.1 * torch.randn(n, 1))
G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
critic = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
og, oc = torch.optim.RMSprop(G.parameters(), 3e-4), torch.optim.RMSprop(critic.parameters(), 5e-4)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=critic, generator_optimizer=og, discriminator_optimizer=oc)
for it in range(700):
    for _ in range(4):
        loss_c = critic(G(torch.randn(100, 4)).detach()).mean() - critic(crescent(100)).mean()
        oc.zero_grad(); loss_c.backward(); oc.step()
        with torch.no_grad():
            for p in critic.parameters():
                p.clamp_(-0.1, 0.1)
    loss_g = -critic(G(torch.randn(100, 4))).mean()
    og.zero_grad(); loss_g.backward(); og.step()
    rec.step(d_loss=loss_c, g_loss=loss_g)
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G(torch.randn(1200, 4)), crescent(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.04}))
