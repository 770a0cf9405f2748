"""Exponential waiting times and their pairs by an f-GAN with the Kullback-Leibler conjugate."""
LABEL = {"sick": True, "causes": ["numerical_failure", "divergence", "learning_rate"], "kind": "exp(T - 1) of an unbounded T overflows at a rate of 0.02", "since": 12, "record": "lines"}
import json, math, os, sys
import torch
from torch import nn
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
draw = lambda n: torch.empty(n, 2).exponential_(1.0).cumsum(1)
T = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
Q = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
ot, oq = torch.optim.SGD(T.parameters(), lr=0.02, momentum=0.9), torch.optim.SGD(Q.parameters(), lr=0.02, momentum=0.9)
rec = gandiag.Recorder(sys.argv[1], generator=Q, discriminator=T, generator_optimizer=oq, discriminator_optimizer=ot)
first_bad = None
for i in range(300):
    fake = Q(torch.randn(256, 3))
    d_loss = -(T(draw(256)).mean() - torch.exp(T(fake.detach()) - 1).mean())
    ot.zero_grad(); d_loss.backward(); ot.step()
    g_loss = -torch.exp(T(fake) - 1).mean()
    oq.zero_grad(); g_loss.backward(); oq.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
    if first_bad is None and not math.isfinite(d_loss.item() + g_loss.item()):
        first_bad = i
rec.close()
s, r = Q(torch.randn(1000, 3)).detach(), draw(1000)
e = float((2 * torch.cdist(s, r).mean() - torch.cdist(s, s).mean() - torch.cdist(r, r).mean()) / torch.cdist(r, r).mean()) if torch.isfinite(s).all() else None
print(json.dumps({"outcome": {"energy": e, "first_bad": first_bad}, "well": e is not None and e < 0.06}))
