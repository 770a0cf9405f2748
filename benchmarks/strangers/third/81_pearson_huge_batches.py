"""Five rotated ellipses by a Pearson chi-square f-GAN with batches of 1000, RMSprop."""
LABEL = {"sick": False, "causes": [], "kind": "sound, huge batches, f-GAN objective bounded by a penalty, rate decays", "since": None, "record": "attach"}
import json, math, os
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))


def ellipses(n):
    k = torch.randint(5, (n,)) * 2 * math.pi / 5
    u = torch.randn(n, 2) * torch.tensor([0.35, 0.1])
    c, s = torch.cos(k), torch.sin(k)
    return torch.stack([1.5 * c + u[:, 0] * c - u[:, 1] * s, 1.5 * s + u[:, 0] * s + u[:, 1] * c], 1)


class Pearson:
    """f*(t) = t^2 / 4 + t"""

    @staticmethod
    def critic(t_real, t_fake):
        return -(t_real.mean() - (t_fake.square() / 4 + t_fake).mean())

    @staticmethod
    def generator(t_fake):
        return -t_fake.mean()  # the non-saturating trick


net = lambda i, o: nn.Sequential(nn.Linear(i, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, o))
Q, T = net(4, 2), net(2, 1)
opt_q, opt_t = torch.optim.RMSprop(Q.parameters(), 1e-3), torch.optim.RMSprop(T.parameters(), 2e-3)
decay = [torch.optim.lr_scheduler.LambdaLR(o, lambda i: 1 - 0.9 * i / 480) for o in (opt_q, opt_t)]
for i in range(480):
    x, y = ellipses(1000).requires_grad_(), Q(torch.randn(1000, 4))
    t = T(x)
    smooth = torch.autograd.grad(t.sum(), x, create_graph=True)[0].square().sum(1).mean()
    opt_t.zero_grad()
    (Pearson.critic(t, T(y.detach())) + 0.1 * smooth).backward()
    opt_t.step()
    opt_q.zero_grad()
    Pearson.generator(T(y)).backward()
    opt_q.step()
    for d in decay:
        d.step()
with torch.no_grad():
    s, r, q = Q(torch.randn(1200, 4)), ellipses(1200), ellipses(1200)
e = lambda a, b: float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
print(json.dumps({"outcome": {"energy": e(s, r), "reals_to_reals": e(q, r)}, "well": e(s, r) < 0.04}))
