"""Daily returns with Cauchy tails and their lagged partner by WGAN-GP, unscaled."""
LABEL = {"sick": True, "causes": ["data_mismatch", "divergence", "discriminator_dominance"], "kind": "Cauchy outliers enter untransformed: single batches dominate everything", "since": 0, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))


def returns(n):
    a = torch.distributions.Cauchy(0.5, 1.0).sample((n,))
    b = 0.6 * a + torch.distributions.Cauchy(0.0, 0.5).sample((n,))
    return torch.stack([a, b], 1)


class Net(nn.Module):
    def __init__(self, i, o, h=64):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(i, h), nn.Linear(h, h), nn.Linear(h, o)

    def forward(self, x):
        return self.l3(torch.relu(self.l2(torch.relu(self.l1(x)))))


def train(out):
    g, f = Net(4, 2), Net(2, 1)
    og, of = torch.optim.Adam(g.parameters(), lr=1e-3), torch.optim.Adam(f.parameters(), lr=1e-3)
    with gandiag.Recorder(out, generator=g, discriminator=f, generator_optimizer=og, discriminator_optimizer=of) as rec:
        for _ in range(320):
            for _ in range(2):
                x, y = returns(64), g(torch.randn(64, 4)).detach()
                lf = f(y).mean() - f(x).mean()
                u = torch.rand(64, 1)
                m = (u * x + (1 - u) * y).requires_grad_()
                gr = torch.autograd.grad(f(m).sum(), m, create_graph=True)[0].norm(dim=1)
                lf = lf + 10 * ((gr - 1) ** 2).mean()
                of.zero_grad(); lf.backward(); of.step()
            lg = -f(g(torch.randn(64, 4))).mean()
            og.zero_grad(); lg.backward(); og.step()
            rec.step(d_loss=lf, g_loss=lg)
    return g


g = train(sys.argv[1])
s, r, q = g(torch.randn(1200, 4)).detach().asinh(), returns(1200).asinh(), returns(1200).asinh()
e = lambda a, b: float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
print(json.dumps({"outcome": {"energy_of_asinh": e(s, r), "reals_to_reals": e(q, r)}, "well": e(s, r) < 0.08}))
