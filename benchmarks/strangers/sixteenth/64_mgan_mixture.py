"""MGAN (Hoang et al. 2018): four generators and a classifier head share one game over five unequal Gaussian clusters of a crystal's reciprocal lattice."""
LABEL = {"sick": False, "causes": [], "kind": "mixture of four generators, each of them covers only part of the modes on purpose; a classifier head that pushes them apart; unequal mode weights; blur that shrinks", "since": None, "record": "attach"}
import os
from dataclasses import dataclass
import torch
from torch import nn
from torch.nn import functional as F
import outside


@dataclass
class Config:
    seed: int = int(os.environ.get("SEED", "0"))
    heads: int = 4
    z: int = 8
    width: int = 64
    per_head: int = 40
    diversity: float = 0.05
    steps: int = 2600
    lr: float = 8e-4


cfg = Config()
torch.set_num_threads(1)
torch.manual_seed(cfg.seed)
PEAKS = 2 * torch.tensor([[i + 0.5 * j, 0.866 * j] for i in (-1., 0., 1.) for j in (-1., 0., 1.) if (i + j) % 2 == 0])
WEIGHT = torch.tensor([1, 1, 2.5, 1, 1]); WEIGHT = WEIGHT / WEIGHT.sum()


def diffraction(n):
    return PEAKS[torch.multinomial(WEIGHT, n, True)] + 0.32 * torch.randn(n, 2)


class Mixture(nn.Module):
    """independent first layers, a common trunk"""
    def __init__(self, c):
        super().__init__()
        self.first = nn.ModuleList(nn.Linear(c.z, c.width) for _ in range(c.heads))
        self.trunk = nn.Sequential(nn.SiLU(), nn.Linear(c.width, c.width), nn.SiLU(), nn.Linear(c.width, c.width), nn.SiLU(), nn.Linear(c.width, 2))
        self.c = c

    def forward(self, z):
        parts = z.chunk(self.c.heads)
        return self.trunk(torch.cat([f(p) for f, p in zip(self.first, parts)]))


class TwoHeads(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.feat = nn.Sequential(nn.Linear(2, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2))
        self.real = nn.Linear(96, 1)
        self.who = nn.Linear(96, c.heads)

    def forward(self, x):
        h = self.feat(x)
        return self.real(h), self.who(h)


def main():
    G, D = Mixture(cfg), TwoHeads(cfg)
    with torch.no_grad():
        for i, f in enumerate(G.first):
            f.bias.normal_()
    og = torch.optim.Adam(G.parameters(), cfg.lr, betas=(0.5, 0.999))
    od = torch.optim.Adam(D.parameters(), cfg.lr, betas=(0.5, 0.999))
    n = cfg.heads * cfg.per_head
    who = torch.arange(cfg.heads).repeat_interleave(cfg.per_head)
    ema = Mixture(cfg); ema.load_state_dict(G.state_dict())
    for step in range(cfg.steps):
        rate = cfg.lr * min(1.0, 3 * (1 - step / cfg.steps) + 0.02)
        for o in (og, od):
            o.param_groups[0]["lr"] = rate
        blur = 1.0 * max(0.0, 1 - 1.25 * step / cfg.steps)      # detector resolution improves
        x = diffraction(n)
        x = (x + blur * torch.randn_like(x)).requires_grad_()
        fake = G(torch.randn(n, cfg.z))
        fake = fake + blur * torch.randn_like(fake)
        r, _ = D(x)
        f, w = D(fake.detach())
        gx, = torch.autograd.grad(r.sum(), x, create_graph=True)
        d_loss = F.softplus(-r).mean() + F.softplus(f).mean() + F.cross_entropy(w, who) + 0.1 * gx.pow(2).sum(1).mean()
        od.zero_grad(); d_loss.backward(); od.step()
        f, w = D(fake)
        g_loss = F.softplus(-f).mean() + cfg.diversity * F.cross_entropy(w, who)
        og.zero_grad(); g_loss.backward(); og.step()
        with torch.no_grad():
            for a, b in zip(ema.parameters(), G.parameters()):
                a.lerp_(b, 0.01)
        if step % 500 == 0:
            print(step, d_loss.item(), g_loss.item())
    with torch.no_grad():
        s = ema(torch.randn(4000, cfg.z))
    s = s[torch.randperm(4000)]
    e = outside.energy(s, diffraction(4000))
    k, near = outside.modes(s, PEAKS, 0.85)
    outside.say(e < 0.02 and k == 5 and near > 0.8, energy=e, modes=k, near=near)


if __name__ == "__main__":
    main()
