"""Mean-reverting price paths by a GRU against a conv1d critic, hinge loss, two time-scales, AdamW."""
LABEL = {"sick": False, "causes": [], "kind": "sound, recurrent G, hinge loss, gradient clipping", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
L = 6


def paths(n):
    x = [0.8 * torch.randn(n)]
    for _ in range(L - 1):
        x.append(0.85 * x[-1] + 0.35 * torch.randn(n))
    return torch.stack(x, 1)[..., None]


class PathGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.GRU(4, 24, batch_first=True), nn.Linear(24, 1)

    def forward(self, z):
        return self.head(self.rnn(z)[0])


class PathJudge(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(1, 32, 3), nn.LeakyReLU(0.2), nn.Conv1d(32, 32, 3), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(32 * (L - 4), 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))

    def forward(self, x):
        return self.net(x.transpose(1, 2))


G, D = PathGenerator(), PathJudge()
og = torch.optim.AdamW(G.parameters(), lr=2e-3, betas=(0.0, 0.99), weight_decay=1e-4)
od = torch.optim.AdamW(D.parameters(), lr=2e-3, betas=(0.0, 0.99), weight_decay=1e-4)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True)
for step in range(600):
    for o in (og, od):
        o.param_groups[0]["lr"] = 2e-3 * (1 - 0.9 * step / 600)
    x, y = paths(64).requires_grad_(), G(torch.randn(64, L, 4))
    out = D(x)
    slope = torch.autograd.grad(out.sum(), x, create_graph=True)[0].square().sum((1, 2)).mean()
    d = F.relu(1 - out).mean() + F.relu(1 + D(y.detach())).mean() + 0.05 * slope
    od.zero_grad(); d.backward(); nn.utils.clip_grad_norm_(D.parameters(), 1.0); od.step()
    og.zero_grad(); (-D(y).mean()).backward(); nn.utils.clip_grad_norm_(G.parameters(), 1.0); og.step()
rec.close()
with torch.no_grad():
    s, r, q = G(torch.randn(1000, L, 4))[..., 0], paths(1000)[..., 0], paths(1000)[..., 0]
e = lambda a, b: float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
lag = lambda v: float((v[:, 1:] * v[:, :-1]).mean() / v.square().mean())
print(json.dumps({"outcome": {"energy": e(s, r), "reals_to_reals": e(q, r), "lag1": [lag(s), lag(r)]}, "well": e(s, r) < 0.05 and abs(lag(s) - lag(r)) < 0.15}))
