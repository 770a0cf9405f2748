"""Ring of eight with optimistic Adam, which we wrote ourselves, both players moving at once."""
import math, os, sys
import torch
from torch import nn
import gandiag, outside

LABEL = {"sick": False, "causes": [], "kind": "own optimizer class (optimistic Adam), one call of D on reals and "
        "fakes, simultaneous updates", "since": None,
         "record": "automatic"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)


class OptimisticAdam(torch.optim.Optimizer):
    """w <- w - 2 lr u_t + lr u_{t-1}, u being Adam's direction."""

    def __init__(self, params, lr, b1=0.0, b2=0.99, eps=1e-8):
        super().__init__(params, dict(lr=lr, b1=b1, b2=b2, eps=eps))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                s = self.state[p]
                if not s:
                    s.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p), u=torch.zeros_like(p))
                s["t"] += 1
                s["m"].mul_(group["b1"]).add_(p.grad, alpha=1 - group["b1"])
                s["v"].mul_(group["b2"]).addcmul_(p.grad, p.grad, value=1 - group["b2"])
                u = s["m"] / (1 - group["b1"] ** s["t"]) / ((s["v"] / (1 - group["b2"] ** s["t"])).sqrt() + group["eps"])
                p.add_(u, alpha=-2 * group["lr"]).add_(s["u"], alpha=group["lr"])
                s["u"] = u


theta = torch.arange(8) * math.pi / 4
CENTRES = 1.4 * torch.stack([theta.cos(), theta.sin()], 1)


def ring(n):
    return CENTRES[torch.randint(8, (n,))] + 0.16 * torch.randn(n, 2)


def net(i, o):
    return nn.Sequential(nn.Linear(i, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128),
            nn.LeakyReLU(0.2), nn.Linear(128, o))


def play(G, D, og, od, steps):
    lr = og.param_groups[0]["lr"]
    for step in range(steps):
        for o in (og, od):
            o.param_groups[0]["lr"] = lr * min(1.0, 0.02 + 1.8 * (1 - step / steps))
        real = ring(128).requires_grad_()
        fake = G(torch.randn(128, 8))
        out = D(torch.cat([real, fake]))
        r, f = out[:128], out[128:]
        d_loss = nn.functional.softplus(-r).mean() + nn.functional.softplus(f).mean()
        slope = torch.autograd.grad(r.sum(), real, create_graph=True)[0].pow(2).sum(1).mean()
        g_loss = nn.functional.softplus(-f).mean()
        for p, v in zip(D.parameters(), torch.autograd.grad(d_loss + 0.1 * slope, list(D.parameters()), retain_graph=True)):
            p.grad = v
        for p, v in zip(G.parameters(), torch.autograd.grad(g_loss, list(G.parameters()))):
            p.grad = v
        od.step()
        og.step()


G, D = net(8, 2), net(2, 1)
og, od = OptimisticAdam(G.parameters(), 6e-4), OptimisticAdam(D.parameters(), 6e-4)
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    play(G, D, og, od, 1900)
with torch.no_grad():
    s = G(torch.randn(2000, 8))
found, near = outside.modes(s, CENTRES, 0.5)
e = outside.energy(s, ring(1000))
outside.say(found == 8 and near > 0.83 and e < 0.015, modes=found, near=near, energy=e)
