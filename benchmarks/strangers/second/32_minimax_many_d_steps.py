"""Original minimax loss on a mixture in twenty dimensions, many discriminator steps."""
LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance"], "kind": "saturating log(1-D), ten strong D steps per weak G step", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
M = 2 * torch.randn(8, 20)
def minibatch(n=64): return M[torch.randint(8, (n,))] + 0.2 * torch.randn(n, 20)
K = 10
G = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 20))
D = nn.Sequential(nn.Linear(20, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1))
optG, optD = torch.optim.SGD(G.parameters(), 0.02), torch.optim.Adam(D.parameters(), 1e-3)
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=optG, discriminator_optimizer=optD, automatic=True):
    for it in range(350):
        for _ in range(K):
            optD.zero_grad()
            loss = -(F.logsigmoid(D(minibatch())) + F.logsigmoid(-D(G(torch.randn(64, 10)).detach()))).mean()
            loss.backward()
            optD.step()
        optG.zero_grad()
        F.logsigmoid(-D(G(torch.randn(64, 10)))).mean().backward()  # minimise log(1 - D(G(z)))
        optG.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(G(torch.randn(1200, 10)), minibatch(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.1}))
