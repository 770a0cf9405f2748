"""Log-normal claims by age group, cosine warm restarts, stopped and resumed half way without optimizer state."""
LABEL = {"sick": False, "causes": [], "kind": "sound: fresh Adam after a resume and warm restarts are harmless here", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))


def claims(n):
    age = torch.rand(n)
    log_claim = 1.2 * (age - 0.5) + 0.4 * torch.randn(n) * (0.5 + age)
    count = torch.distributions.Poisson(1 + 2 * age).sample().div(3)
    return torch.stack([2 * age - 1, log_claim, count], 1) + torch.tensor([0., 0., 1.]) * 0.05 * torch.randn(n, 3)


class Session:
    def __init__(self, state=None):
        self.g = nn.Sequential(nn.Linear(6, 64), nn.Mish(), nn.Linear(64, 64), nn.Mish(), nn.Linear(64, 3))
        self.d = nn.Sequential(nn.Linear(3, 64), nn.Mish(), nn.Linear(64, 64), nn.Mish(), nn.Linear(64, 1))
        if state:
            self.g.load_state_dict(state["g"]); self.d.load_state_dict(state["d"])
        self.og = torch.optim.Adam(self.g.parameters(), 1.5e-3, betas=(0.0, 0.99))
        self.od = torch.optim.Adam(self.d.parameters(), 1.5e-3, betas=(0.0, 0.99))
        self.schedules = [CosineAnnealingWarmRestarts(o, T_0=110, T_mult=1, eta_min=2e-4) for o in (self.og, self.od)]

    def train(self, steps, **more):
        with gandiag.Recorder(sys.argv[1], generator=self.g, discriminator=self.d, generator_optimizer=self.og, discriminator_optimizer=self.od, automatic=True, **more):
            for _ in range(steps):
                x, y = claims(128).requires_grad_(), self.g(torch.randn(128, 6))
                r = self.d(x)
                r1 = torch.autograd.grad(r.sum(), x, create_graph=True)[0].square().sum(1).mean()
                self.od.zero_grad()
                (F.softplus(-r).mean() + F.softplus(self.d(y.detach())).mean() + 0.1 * r1).backward()
                self.od.step()
                self.og.zero_grad(); F.softplus(-self.d(y)).mean().backward(); self.og.step()
                for s in self.schedules:
                    s.step()
        return {"g": self.g.state_dict(), "d": self.d.state_dict()}


first = Session()
state = first.train(330)
second = Session(state)
second.train(330, resume=330)
with torch.no_grad():
    s = second.g(torch.randn(1200, 6))
r, q = claims(1200), claims(1200)
e = lambda a, b: float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
print(json.dumps({"outcome": {"energy": e(s, r), "reals_to_reals": e(q, r)}, "well": e(s, r) < 0.04}))
